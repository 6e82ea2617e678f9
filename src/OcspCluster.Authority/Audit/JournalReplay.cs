using System.Runtime.CompilerServices;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>A certificate's status as its events make it.</summary>
/// <param name="Serial">The certificate.</param>
/// <param name="Status">What follows from its events by <see cref="StatusRules"/>.</param>
/// <param name="Contradiction">The position of its first entry that records another status than follows, or an event that the rules refuse; null when there is none.</param>
public sealed record ReplayedStatus(SerialNumber Serial, CertificateStatus Status, long? Contradiction);

/// <summary>Computes every status from the journal alone.</summary>
public static class JournalReplay
{
    /// <summary>Replays histories, one certificate in memory at a time.</summary>
    /// <param name="histories">Entries ordered by serial, then by position (<see cref="IAuditStore.ReadHistoriesAsync"/>).</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>One status for each certificate, in the order of the serials.</returns>
    public static async IAsyncEnumerable<ReplayedStatus> ReplayAsync(
        IAsyncEnumerable<JournalEntry> histories, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ReplayedStatus? current = null;
        await foreach (JournalEntry entry in histories.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (current is not null && current.Serial != entry.Event.Serial)
            {
                yield return current;
                current = null;
            }

            current = Apply(current, entry);
        }

        if (current is not null)
        {
            yield return current;
        }
    }

    // A contradiction is noted, and the replay goes on from what the entry records: one wrong entry is one finding.
    private static ReplayedStatus Apply(ReplayedStatus? current, JournalEntry entry)
    {
        // Whatever tolerance for wrong clocks was configured when the event was taken, it was within it.
        CertificateStatus? follows = StatusRules.Apply(current?.Status, entry.Event, entry.ReceivedAt, TimeSpan.MaxValue).Status;
        bool isContradiction = follows is null || follows with { Position = entry.Position } != entry.Status;
        return new ReplayedStatus(entry.Event.Serial, entry.Status, current?.Contradiction ?? (isContradiction ? entry.Position : null));
    }
}
