using OcspCluster.Gateway;

namespace OcspCluster.Silo.Host;

/// <summary>What became of the silos while this one has run, by its view of the membership. Thread-safe.</summary>
internal sealed class ClusterChronicle(IClusterMembershipService membership, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider clock) : BackgroundService
{
    /// <summary>How much of it is remembered.</summary>
    public const int Length = 200;

    // Of a silo that was lost for so long it is known; and a writer that moves so soon after a loss moves because of it.
    private static readonly TimeSpan s_lossIsNews = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_lossMovesWriters = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly LinkedList<NodeEventView> _happened = []; // the latest first; guarded by _lock
    private readonly LinkedList<TakeOver> _tookOver = []; // the latest first; guarded by _lock
    private readonly Dictionary<SiloAddress, SiloStatus> _seen = []; // guarded by _lock
    private readonly Dictionary<SiloAddress, (string Name, DateTimeOffset At)> _lost = []; // guarded by _lock

    /// <summary>What happened, the latest first.</summary>
    public IReadOnlyList<NodeEventView> Happened
    {
        get
        {
            lock (_lock)
            {
                return [.. _happened];
            }
        }
    }

    /// <summary>What this silo took over, the latest first.</summary>
    public IReadOnlyList<TakeOver> TookOver
    {
        get
        {
            lock (_lock)
            {
                return [.. _tookOver];
            }
        }
    }

    /// <summary>The silos that were lost within the last hour and are not back.</summary>
    public IEnumerable<Finding> FindLost()
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            return [.. _lost.Values.Where(lost => now - lost.At < s_lossIsNews).Select(lost => new Finding(
                "node.lost", FindingSeverity.Warning, $"'{lost.Name}' was lost at {lost.At:u} and is not back; the others have taken over.", "Start it again, or let it be: this is told for an hour.", Subject: lost.Name)
            { IsShared = true })];
        }
    }

    /// <summary>An issuer's events are taken here from now on.</summary>
    public void NoteWriter(string issuer)
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            if (_happened.Any(happened => happened.What is "lost" or "left" && now - happened.At < s_lossMovesWriters))
            {
                Remember(_tookOver, new TakeOver(now, issuer));
            }
        }
    }

    /// <summary>Compares a view of the membership with the one before.</summary>
    internal void Note(IEnumerable<ClusterMember> members)
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            bool isFirst = _seen.Count == 0;
            foreach (ClusterMember member in members)
            {
                SiloStatus? before = _seen.TryGetValue(member.SiloAddress, out SiloStatus seen) ? seen : null;
                _seen[member.SiloAddress] = member.Status;
                if (member.Status == before)
                {
                    continue;
                }

                if (member.Status == SiloStatus.Active)
                {
                    foreach (SiloAddress older in _lost.Keys.Where(older => older.Endpoint.Equals(member.SiloAddress.Endpoint)).ToArray())
                    {
                        _lost.Remove(older); // it was started again
                    }

                    Tell(now, member, "joined", isFirst ? "It was a member when this silo joined." : "It is an active member.");
                }
                else if (member.Status == SiloStatus.Dead && !isFirst && before is not null)
                {
                    bool isLost = before is not (SiloStatus.ShuttingDown or SiloStatus.Stopping);
                    Tell(now, member, isLost ? "lost" : "left", isLost ? "It did not answer the others any more, and is out of the membership." : "It ended and handed over what it had.");
                    if (isLost)
                    {
                        _lost[member.SiloAddress] = (member.Name, now);
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (ClusterMembershipSnapshot snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
            {
                Note(snapshot.Members.Values);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    private void Tell(DateTimeOffset at, ClusterMember member, string what, string detail) =>
        Remember(_happened, new NodeEventView(at, member.Name, what, $"{detail} Its address is {member.SiloAddress.Endpoint}."));

    private static void Remember<T>(LinkedList<T> list, T what)
    {
        list.AddFirst(what);
        if (list.Count > Length)
        {
            list.RemoveLast();
        }
    }
}
