using System.Collections.Frozen;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Refresh;

/// <summary>Where the answers and certificates of a part are found.</summary>
/// <param name="Statuses">The store.</param>
/// <param name="Journal">The journal as far as it is published.</param>
/// <param name="Kept">The answers of before; null where nothing is kept.</param>
internal sealed record PartSources(IRevocationStore Statuses, PublishedJournal Journal, RedisResponseStore? Kept);

// Which parts this silo owns, and how it comes to know what is in them: first what is kept, so that it is not signed anew; then, with Presign.All, the journal, of which those certificates are
// signed that no answer was found for. The journal is read once for all parts that stand at the same position, and on from there as it grows: so nothing is missed, whoever is lost.
internal sealed partial class IssuerRefresh
{
    private const int KeptPerLookup = 256;
    private const int JournalPerRead = 10_000;

    private readonly PartSources _sources;
    private readonly Dictionary<int, Part> _parts = []; // only its owner's task changes it
    private volatile FrozenSet<int> _owned = [];
    private volatile bool _isComplete;

    private int OwnedParts => _owned.Count;

    /// <summary>Takes the parts that are this silo's now, lets go of the others, and reads what it does not know of them. For one caller at a time.</summary>
    public async Task OwnAsync(IReadOnlySet<int> parts, CancellationToken cancellationToken)
    {
        int[] lost = [.. _parts.Keys.Where(part => !parts.Contains(part))];
        foreach (int part in parts.Where(part => !_parts.ContainsKey(part)))
        {
            _isComplete = false;
            _parts.Add(part, new Part());
        }

        _owned = parts.ToFrozenSet();
        if (lost.Length > 0)
        {
            _schedule.UntrackAll(serial => !parts.Contains(SerialPartitions.Of(serial)));
            foreach (int part in lost)
            {
                _parts.Remove(part);
            }
        }

        try
        {
            foreach ((int number, Part part) in _parts.Where(part => !part.Value.IsKeptRead))
            {
                await ReadKeptAsync(number, cancellationToken).ConfigureAwait(false);
                part.IsKeptRead = true;
            }

            if (Issuer.Policy.Presign == Presign.All)
            {
                await ReadJournalAsync(cancellationToken).ConfigureAwait(false);
            }

            _isComplete = _parts.Values.All(part => part.IsKeptRead && (Issuer.Policy.Presign != Presign.All || part.IsJournalRead));
        }
        catch (RevocationStoreException e)
        {
            LogNotRead(Issuer.Id, e.Message); // the next time
        }
    }

    private async Task ReadKeptAsync(int part, CancellationToken cancellationToken)
    {
        if (_sources.Kept is not { } store || Issuer.Policy.Presign == Presign.OnDemand)
        {
            return;
        }

        List<KeptResponse> some = [];
        await foreach (KeptResponse kept in store.ReadAsync(Issuer.Id, part, cancellationToken).ConfigureAwait(false))
        {
            some.Add(kept);
            if (some.Count == KeptPerLookup)
            {
                await TrackAsync(some).ConfigureAwait(false);
                some.Clear();
            }
        }

        await TrackAsync(some).ConfigureAwait(false);
    }

    private async Task TrackAsync(List<KeptResponse> some)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        KeptResponse[] usable = [.. some.Where(kept => kept.IsDefault && kept.NextUpdate > now)];
        if (usable.Length == 0)
        {
            return;
        }

        IReadOnlyList<CertificateStatus?> statuses = await _sources.Statuses.FindStatusesAsync(Issuer.Id, [.. usable.Select(kept => kept.Serial)], CancellationToken.None).ConfigureAwait(false);
        for (int i = 0; i < usable.Length; i++)
        {
            KeptResponse kept = usable[i];
            if (statuses[i] is not { } status || status.NotAfter < now || _forms.NumberOf(kept.CertId.Span) is not byte form || _schedule.IsTracked(kept.Serial, form))
            {
                continue;
            }

            _schedule.Track(kept.Serial, form, AnswerTimes.Of(Issuer.Policy, kept, status.NotAfter), idlePeriods: 1);
            if (status.Position != kept.Position)
            {
                _schedule.ChangeStatus(kept.Serial); // whoever had it to sign is gone
            }

            if (_runs.IsMeant(Issuer.Id, kept.ProducedAt, now))
            {
                _schedule.Resign(kept.Serial, form);
            }
        }
    }

    // Those that are furthest first: what is new must not wait until a part that has just come here has read millions.
    private async Task ReadJournalAsync(CancellationToken cancellationToken)
    {
        long end = _sources.Journal.GetPosition(Issuer.Id);
        while (_parts.Values.Any(part => part.Position < end))
        {
            foreach (IGrouping<long, KeyValuePair<int, Part>> group in _parts.Where(part => part.Value.Position < end).GroupBy(part => part.Value.Position).OrderByDescending(group => group.Key).ToArray())
            {
                long through = await ReadJournalAsync(group.Key, group.Select(part => part.Key).ToFrozenSet(), cancellationToken).ConfigureAwait(false);
                foreach ((int _, Part part) in group)
                {
                    part.Position = through;
                }
            }
        }

        foreach (Part part in _parts.Values)
        {
            part.IsJournalRead = true;
        }
    }

    private async Task<long> ReadJournalAsync(long after, FrozenSet<int> parts, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        long through = after;
        await foreach (JournalEntry entry in _sources.Journal.ReadAsync(Issuer.Id, after, cancellationToken).ConfigureAwait(false))
        {
            if (!(entry.Status.NotAfter < now) && parts.Contains(SerialPartitions.Of(entry.Event.Serial)))
            {
                TrackMissing(entry.Event.Serial, now);
            }

            through = entry.Position;
            if (through - after >= JournalPerRead)
            {
                break;
            }
        }

        return through;
    }

    private void TrackMissing(SerialNumber serial, DateTimeOffset now)
    {
        foreach (byte form in _presignForms)
        {
            if (!_schedule.IsTracked(serial, form))
            {
                _schedule.Track(serial, form, AnswerTimes.Missing(now), idlePeriods: 1);
            }
        }
    }

    [LoggerMessage(140, LogLevel.Warning, "What is to be kept fresh of issuer {Issuer} cannot be read for now: {Reason}")]
    private partial void LogNotRead(IssuerId issuer, string reason);

    /// <summary>What is known of a part that is owned.</summary>
    private sealed class Part
    {
        public bool IsKeptRead { get; set; }

        public long Position { get; set; }

        public bool IsJournalRead { get; set; }
    }
}
