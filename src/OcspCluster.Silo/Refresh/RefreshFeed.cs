using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;

namespace OcspCluster.Silo.Refresh;

/// <summary>Tells the partitions what gateways were given and what changed. Nobody waits for it. Thread-safe.</summary>
internal sealed class RefreshFeed(IGrainFactory grains, IssuerDirectory directory)
{
    /// <summary>A gateway was given an answer of the default credential.</summary>
    public void Note(CertificateKey key, byte[] certId, IssuerPolicy policy, SignedResponse response)
    {
        if (policy.Presign != Presign.OnDemand)
        {
            AnswerTimes times = AnswerTimes.Of(policy, key.Serial, response);
            PartitionOf(key.Issuer, SerialPartitions.Of(key.Serial)).NoteAsync(new NotedAnswer(key.Serial, certId, times.DueAt, times.LatestAt, times.NextUpdate)).Ignore();
        }
    }

    /// <summary>Entries are published.</summary>
    public void Announce(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id == issuer) is not { Policy.Presign: not Presign.OnDemand })
        {
            return;
        }

        foreach (IGrouping<int, SerialNumber> part in entries.Where(entry => entry.Event.Kind != EventKind.Issued).Select(entry => entry.Event.Serial).Distinct().GroupBy(SerialPartitions.Of))
        {
            PartitionOf(issuer, part.Key).AnnounceAsync([.. part]).Ignore();
        }
    }

    private IRefreshPartitionGrain PartitionOf(IssuerId issuer, int partition) => grains.GetGrain<IRefreshPartitionGrain>(SerialPartitions.KeyOf(issuer, partition));
}

/// <summary>Publishes, and then tells the partitions.</summary>
internal sealed class AnnouncingPublisher(IResponsePublisher inner, RefreshFeed feed) : IResponsePublisher
{
    /// <inheritdoc/>
    public ValueTask PublishThroughAsync(IssuerId issuer, long position) => inner.PublishThroughAsync(issuer, position);

    /// <inheritdoc/>
    public async ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        await inner.PublishAsync(issuer, entries).ConfigureAwait(false);
        feed.Announce(issuer, entries);
    }
}

/// <summary>Has all partitions live: each silo that signs wakes all of them every few seconds, so those of a silo that was lost go on elsewhere as soon as it is out of the membership.</summary>
internal sealed partial class RefreshKeeper(
    IGrainFactory grains, IssuerDirectory directory, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider clock, ILogger<RefreshKeeper> log) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IssuerId[] issuers = [.. directory.Issuers.Where(issuer => issuer.Policy.Presign != Presign.OnDemand).Select(issuer => issuer.Id)];
        try
        {
            while (issuers.Length > 0)
            {
                await Task.Delay(s_pause, clock, stoppingToken).ConfigureAwait(false);
                foreach (IssuerId issuer in issuers)
                {
                    await Task.WhenAll(Enumerable.Range(0, SerialPartitions.Count).Select(partition => WakeAsync(issuer, partition))).WaitAsync(stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    private async Task WakeAsync(IssuerId issuer, int partition)
    {
        Task<PartitionState> woken = grains.GetGrain<IRefreshPartitionGrain>(SerialPartitions.KeyOf(issuer, partition)).WakeAsync();
        woken.Ignore(); // when it is given up
        try
        {
            await woken.WaitAsync(s_pause, clock).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A silo that is just lost, or an activation that takes long: the next round sees to it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotWoken(issuer, partition, e.Message);
        }
    }

    [LoggerMessage(143, LogLevel.Debug, "Part {Part} of issuer {Issuer} was not woken: {Reason}")]
    private partial void LogNotWoken(IssuerId issuer, int part, string reason);
}
