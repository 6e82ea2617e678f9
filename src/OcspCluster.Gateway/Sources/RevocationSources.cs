using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Looks at all issuers' standing sources while the program runs, each at its own pace.</summary>
public sealed partial class RevocationSources : BackgroundService
{
    private static readonly TimeSpan s_standBy = TimeSpan.FromSeconds(3);

    private readonly IReadOnlyList<RevocationSource> _sources;
    private readonly ISourceTurns? _turns;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Meter _meter = new("OcspCluster.Sources");

    /// <summary>Begins with the program.</summary>
    /// <param name="sources">The sources; none is right, too.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of what changes.</param>
    /// <param name="turns">Who of a cluster's hosts looks; null for a host on its own.</param>
    public RevocationSources(IReadOnlyList<RevocationSource> sources, TimeProvider clock, ILogger<RevocationSources> log, ISourceTurns? turns = null)
    {
        _turns = turns;
        _sources = sources;
        _clock = clock;
        _log = log;
        _meter.CreateObservableGauge("ocsp.source.stale", () => _sources.Select(source => Measure(source, source.IsStale ? 1 : 0)), "{source}", "Sources whose last CRL has ended, or that cannot be read");
        _meter.CreateObservableGauge("ocsp.source.failures", () => _sources.Select(source => Measure(source, source.State.Failures)), "{failure}", "Failures of a source in a row");
    }

    /// <summary>What operators should know of them.</summary>
    public IReadOnlyList<string> Warnings => [.. _sources.Select(source => source.Warning).OfType<string>()];

    /// <summary>How an issuer's sources are.</summary>
    public IReadOnlyList<SourceState> Of(IssuerId issuer) => [.. _sources.Where(source => source.Issuer == issuer).Select(source => source.State)];

    /// <summary>A source that fetches CRLs.</summary>
    public static RevocationSource OfCrl(
        Issuer issuer, CrlSourceOptions options, IRevocationAuthority authority, IRevocationStore store, ICrlRecords records, HttpClient client, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(options);
        return new CrlSource(issuer, options, new CrlImport(authority, issuer.Id, issuer.Certificates, store, records, clock), client, clock);
    }

    /// <summary>A source that watches an OpenSSL index.</summary>
    public static RevocationSource OfIndex(IssuerId issuer, string file, TimeSpan interval, IRevocationAuthority authority, IRevocationStore store, TimeProvider clock) =>
        new IndexSource(issuer, file, interval, authority, store, clock);

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(_sources.Select(source => Task.Run(() => WatchAsync(source, stoppingToken), CancellationToken.None))).ConfigureAwait(false);
        if (_turns is not null && _sources.Count > 0)
        {
            await _turns.ReleaseAllAsync().ConfigureAwait(false); // another host goes on at once
        }
    }

    private async Task WatchAsync(RevocationSource source, CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                string? before = source.Warning;
                TimeSpan pause = await IsOursAsync(source, stoppingToken).ConfigureAwait(false) ? await LookAsync(source, stoppingToken).ConfigureAwait(false) : s_standBy;
                if (source.Warning is string warning && warning != before)
                {
                    LogWarning(warning);
                }

                await Task.Delay(pause, _clock, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
    }

    private async Task<bool> IsOursAsync(RevocationSource source, CancellationToken stoppingToken)
    {
        if (_turns is null)
        {
            return true;
        }

        try
        {
            if (await _turns.TakeAsync(source.Issuer, $"{source.State.Kind} {source.State.Location}", stoppingToken).ConfigureAwait(false) is { } other)
            {
                source.StandBy(other);
                return false;
            }

            return true;
        }
        catch (RevocationStoreException e)
        {
            LogNoTurn(source.Issuer.ToString(), source.State.Location, e.Message);
            return false; // what it tells could not be recorded now
        }
    }

    private async Task<TimeSpan> LookAsync(RevocationSource source, CancellationToken stoppingToken)
    {
        try
        {
            return await source.RunOnceAsync(stoppingToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever a file does to its reader, it is looked at again.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogFault(source.Issuer.ToString(), source.State.Location, e.Message, e);
            return source.Interval;
        }
    }

    private static Measurement<int> Measure(RevocationSource source, int value) =>
        new(value, new KeyValuePair<string, object?>("issuer", source.Issuer.ToString()), new KeyValuePair<string, object?>("source", source.State.Kind));

    [LoggerMessage(62, LogLevel.Debug, "Issuer {Issuer}: it cannot be told who looks at the source {Location}: {Reason}")]
    private partial void LogNoTurn(string issuer, string location, string reason);

    [LoggerMessage(60, LogLevel.Warning, "{Warning}")]
    private partial void LogWarning(string warning);

    [LoggerMessage(61, LogLevel.Error, "Issuer {Issuer}: looking at the source {Location} met a fault: {Reason}")]
    private partial void LogFault(string issuer, string location, string reason, Exception exception);
}
