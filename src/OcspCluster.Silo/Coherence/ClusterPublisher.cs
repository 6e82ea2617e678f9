using System.Collections.Concurrent;
using OcspCluster.Authority;

namespace OcspCluster.Silo.Coherence;

/// <summary>
/// Tells every silo what changed, and returns when each has forgotten it or may not believe its caches any more (docs/decisions/0020). Runs where the issuer's writer does. Thread-safe.
/// </summary>
internal sealed partial class ClusterPublisher(
    CoherenceDirectory directory, ILeaseTable table, ISiloPeers peers, OcspSiloOptions options, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider clock, ILogger<ClusterPublisher> log) : IResponsePublisher
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly long _leaseTicks = (long)(options.Lease.TotalSeconds * clock.TimestampFrequency);

    /// <inheritdoc/>
    public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return entries.Count == 0
            ? ValueTask.CompletedTask
            : PublishAsync(new Forgetting(issuer, entries[0].Position, entries[^1].Position, [.. entries.Select(entry => entry.Event.Serial).Distinct()]));
    }

    /// <inheritdoc/>
    public ValueTask PublishThroughAsync(IssuerId issuer, long position) => PublishAsync(new Forgetting(issuer, position, position, Serials: null));

    private async ValueTask PublishAsync(Forgetting forgetting)
    {
        IssuerId issuer = forgetting.Issuer;
        SiloIssuer here = directory.Find(issuer) ?? throw new RevocationStoreException($"Issuer '{issuer}' is not served by this silo.");
        await here.Coherence.ForgetAsync(forgetting).ConfigureAwait(false);

        // After the append: a lease that is not in the table yet will bring a position that is not before it.
        IReadOnlyList<LeaseRow> rows = await ReadTableAsync(issuer).ConfigureAwait(false);
        long latest = clock.GetTimestamp() + _leaseTicks;
        here.Observations.Note(rows, clock.GetTimestamp());
        Dictionary<string, long> targets = rows.ToDictionary(row => row.Silo, row => here.Observations.EndOf(row, latest));
        foreach (string silo in peers.Active)
        {
            targets.TryAdd(silo, latest); // it should have no lease; but a table may have lost a row with its Redis
        }

        targets.Remove(peers.Self);
        ConcurrentDictionary<string, bool> answered = [];
        await Task.WhenAll(targets.Select(target => TellAsync(forgetting, target.Key, target.Value, answered))).ConfigureAwait(false);
        await WaitUntilAsync(here.Coherence.MayAcknowledgeFrom).ConfigureAwait(false);
        while (here.Coherence.FindPromises().Where(promise => !answered.ContainsKey(promise.Asker)).ToArray() is { Length: > 0 } promises)
        {
            await Task.WhenAll(promises.Select(promise => TellAsync(forgetting, promise.Asker, promise.Until, answered))).ConfigureAwait(false);
        }

        here.TakePublished(forgetting.Through);
        foreach (string silo in peers.Active)
        {
            peers.TellPublished(silo, issuer, forgetting.Through);
        }
    }

    private async Task<IReadOnlyList<LeaseRow>> ReadTableAsync(IssuerId issuer)
    {
        using CancellationTokenSource patience = new(options.Lease, clock);
        try
        {
            return await table.ReadAsync(issuer, patience.Token).WaitAsync(options.Lease, clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            throw new RevocationStoreException($"The leases of issuer '{issuer}' could not be read within {options.Lease}: the events are durable, and not every gateway may have heard of them. Submit them again with the same ids.", e);
        }
    }

    // Returns when the silo has forgotten, or its lease is over.
    private async Task TellAsync(Forgetting forgetting, string silo, long until, ConcurrentDictionary<string, bool> answered)
    {
        while (Left(until) is { } left && left > TimeSpan.Zero)
        {
            try
            {
                if (await peers.ForgetAsync(silo, forgetting).WaitAsync(left, clock).ConfigureAwait(false) >= forgetting.Through)
                {
                    answered.TryAdd(silo, true);
                    return;
                }
            }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference: its lease is waited out.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogNoAnswer(silo, forgetting.Issuer, forgetting.Through, e.Message);
            }

            TimeSpan rest = Left(until);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest < s_pause ? rest : s_pause, clock).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitUntilAsync(long until)
    {
        while (Left(until) is { } left && left > TimeSpan.Zero)
        {
            await Task.Delay(left, clock).ConfigureAwait(false);
        }
    }

    private TimeSpan Left(long until)
    {
        long now = clock.GetTimestamp();
        return now >= until ? TimeSpan.Zero : clock.GetElapsedTime(now, until);
    }

    [LoggerMessage(120, LogLevel.Warning, "The silo {Silo} did not answer for position {Position} of issuer {Issuer}; its lease is waited out: {Reason}")]
    private partial void LogNoAnswer(string silo, IssuerId issuer, long position, string reason);
}
