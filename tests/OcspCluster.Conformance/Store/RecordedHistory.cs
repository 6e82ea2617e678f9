using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Conformance;

/// <summary>Events and journal entries for the store's and the sequencer's contracts.</summary>
public static class RecordedHistory
{
    public static readonly IssuerId Ca = new("issuing-ca-1");

    /// <summary>With a fraction of 100 ns, which a store must keep.</summary>
    public static readonly DateTimeOffset Noon = new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567);

    public static SerialNumber Serial(int number) => SerialNumber.FromInteger(number);

    public static RevocationEvent Issued(string id, SerialNumber serial) =>
        new() { Id = id, Serial = serial, Kind = EventKind.Issued, At = Noon, NotAfter = Noon.AddYears(1) };

    public static RevocationEvent Revoked(string id, SerialNumber serial, RevocationReason? reason = RevocationReason.KeyCompromise) =>
        new() { Id = id, Serial = serial, Kind = EventKind.Revoked, At = Noon, Reason = reason, InvalidityDate = Noon.AddDays(-3) };

    public static RevocationEvent Held(string id, SerialNumber serial) => new() { Id = id, Serial = serial, Kind = EventKind.Held, At = Noon };

    public static RevocationEvent Released(string id, SerialNumber serial) => new() { Id = id, Serial = serial, Kind = EventKind.Released, At = Noon };

    /// <summary>The entries that these events make from a position on, by the rules.</summary>
    public static JournalEntry[] Entries(long after, params IEnumerable<RevocationEvent> events)
    {
        Dictionary<SerialNumber, CertificateStatus> statuses = [];
        List<JournalEntry> entries = [];
        foreach (RevocationEvent @event in events)
        {
            DateTimeOffset receivedAt = Noon.AddSeconds(1);
            CertificateStatus status = StatusRules.Apply(statuses.GetValueOrDefault(@event.Serial), @event, receivedAt).Status
                ?? throw new ArgumentException($"The rules refuse {@event}.", nameof(events));
            entries.Add(new JournalEntry(after + entries.Count + 1, @event, receivedAt, status with { Position = after + entries.Count + 1 }));
            statuses[@event.Serial] = entries[^1].Status;
        }

        return [.. entries];
    }

    /// <summary>Entries that issue certificates of consecutive serial numbers.</summary>
    public static JournalEntry[] Issuances(long after, int firstSerial, int count) =>
        Entries(after, Enumerable.Range(firstSerial, count).Select(serial => Issued($"issued-{serial}", Serial(serial))));

    public static async Task<List<JournalEntry>> ReadAllAsync(this IRevocationStore store, IssuerId issuer, long after = 0)
    {
        List<JournalEntry> entries = [];
        await foreach (JournalEntry entry in store.ReadJournalAsync(issuer, after, CancellationToken.None))
        {
            entries.Add(entry);
        }

        return entries;
    }

    /// <summary>That statuses and counts are what a replay of the journal gives, and the journal has no gap.</summary>
    public static async Task AssertAgreesWithJournalAsync(this IRevocationStore store, IssuerId issuer)
    {
        List<JournalEntry> journal = await store.ReadAllAsync(issuer);
        Assert.Equal(Enumerable.Range(1, journal.Count).Select(i => (long)i), journal.Select(entry => entry.Position));
        Assert.Equal(journal.Count, await store.GetPositionAsync(issuer, CancellationToken.None));

        Dictionary<SerialNumber, CertificateStatus> replayed = [];
        foreach (JournalEntry entry in journal)
        {
            CertificateStatus? status = StatusRules.Apply(replayed.GetValueOrDefault(entry.Event.Serial), entry.Event, entry.ReceivedAt).Status;
            Assert.NotNull(status);
            Assert.Equal(status with { Position = entry.Position }, entry.Status);
            replayed[entry.Event.Serial] = entry.Status;
        }

        SerialNumber[] serials = [.. replayed.Keys];
        Assert.Equal(serials.Select(serial => replayed[serial]), await store.FindStatusesAsync(issuer, serials, CancellationToken.None));
        Assert.Equal(
            new StatusCounts(
                replayed.Values.LongCount(status => status.State == CertificateState.Good),
                replayed.Values.LongCount(status => status.State == CertificateState.Revoked),
                replayed.Values.LongCount(status => status.State == CertificateState.Held)),
            await store.CountAsync(issuer, CancellationToken.None));
    }
}
