using System.Numerics;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Conformance;

/// <summary>What every <see cref="IRevocationStore"/> does. Derive it, and say how to open one and the same store again.</summary>
public abstract class RevocationStoreContract : IAsyncLifetime
{
    /// <summary>The store, open.</summary>
    protected IRevocationStore Store { get; private set; } = null!;

    /// <summary>Opens the store of this test: empty the first time, and with all that was appended after each disposal.</summary>
    protected abstract ValueTask<IRevocationStore> OpenAsync();

    /// <summary>Removes what <see cref="OpenAsync"/> made.</summary>
    protected virtual ValueTask CleanAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await CleanAsync();
    }

    [Fact]
    public async Task Store_Empty_KnowsNothing()
    {
        Assert.Equal(0, await Store.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Null(await Store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
        Assert.Null(await Store.FindStatusAsync(Ca, default, CancellationToken.None));
        Assert.Equal([null, null], await Store.FindStatusesAsync(Ca, [Serial(1), Serial(2)], CancellationToken.None));
        Assert.Equal([null], await Store.FindEventsAsync(Ca, ["e"], CancellationToken.None));
        Assert.Empty(await Store.ReadAllAsync(Ca));
        Assert.Equal(default, await Store.CountAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Append_EveryKind_IsReadBackExactly()
    {
        JournalEntry[] entries = Entries(0,
            Issued("1", Serial(1)), Revoked("2", Serial(1)), Held("3", Serial(2)), Released("4", Serial(2)), Revoked("5", Serial(3), null),
            Held("6", Serial(4)) with { InvalidityDate = DateTimeOffset.MinValue, Reason = RevocationReason.CertificateHold });

        AppendResult result = await Store.AppendAsync(Ca, 0, entries);

        Assert.Equal(new AppendResult(true, 6), result);
        Assert.Equal(entries, await Store.ReadAllAsync(Ca));
        Assert.Equal(entries, await Store.FindEventsAsync(Ca, ["1", "2", "3", "4", "5", "6"], CancellationToken.None));
        Assert.Equal(entries[1].Status, await Store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
        await Store.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Append_OfEverySubmitter_IsReadBackExactly()
    {
        Submitter[] submitters =
        [
            Submitter.Local, Submitter.Unknown, new("ca-one", "192.0.2.7"), new("ca-one", null), new(null, "2001:db8::1%eth0"), new("\U0001F510 ä\0 '", "local"),
            new(new string('\uFFFF', Submitter.MaxCredentialLength), new string('\uFFFD', Submitter.MaxRemoteAddressLength)),
        ];
        JournalEntry[] entries = [.. Issuances(0, 1, submitters.Length).Zip(submitters, (entry, submitter) => entry with { Submitter = submitter })];

        await Store.AppendAsync(Ca, 0, entries);
        await RestartAsync();

        Assert.Equal(submitters, (await Store.ReadAllAsync(Ca)).Select(entry => entry.Submitter));
        Assert.Equal([entries[6]], await Store.FindEventsAsync(Ca, ["issued-7"], CancellationToken.None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Append_AtAnotherPosition_WritesNothing(long expected)
    {
        await Store.AppendAsync(Ca, 0, Issuances(0, 1, 2));

        AppendResult result = await Store.AppendAsync(Ca, expected, Issuances(expected, 10, 1));

        Assert.Equal(new AppendResult(false, 2), result);
        Assert.Equal(2, (await Store.ReadAllAsync(Ca)).Count);
        Assert.Null(await Store.FindStatusAsync(Ca, Serial(10), CancellationToken.None));
        await Store.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Append_WithAnEventIdOfTheJournal_WritesNothingOfIt()
    {
        await Store.AppendAsync(Ca, 0, Issuances(0, 1, 2));
        JournalEntry[] entries = Entries(2, Issued("new", Serial(50)), Issued("issued-1", Serial(51)), Issued("newer", Serial(52)));

        await Assert.ThrowsAsync<RevocationStoreException>(async () => await Store.AppendAsync(Ca, 2, entries));

        Assert.Equal([null, null, null], await Store.FindStatusesAsync(Ca, [Serial(50), Serial(51), Serial(52)], CancellationToken.None));
        await Store.AssertAgreesWithJournalAsync(Ca);
        Assert.True((await Store.AppendAsync(Ca, 2, Issuances(2, 3, 1))).Appended);
    }

    [Fact]
    public async Task Append_EntriesThatDoNotFollow_IsABug()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.AppendAsync(Ca, 0, []));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.AppendAsync(Ca, 0, Issuances(1, 1, 1)));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.AppendAsync(Ca, 0, [.. Issuances(0, 1, 1), .. Issuances(0, 2, 1)]));

        Assert.Equal(0, await Store.GetPositionAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Append_SeveralOfOneCertificate_TheLastStatusStands()
    {
        SerialNumber serial = Serial(7);
        await Store.AppendAsync(Ca, 0, Entries(0, Issued("a", serial), Held("b", serial), Released("c", serial), Held("d", serial), Revoked("e", serial)));

        CertificateStatus? status = await Store.FindStatusAsync(Ca, serial, CancellationToken.None);

        Assert.Equal((CertificateState.Revoked, 5), (status!.State, status.Position));
        Assert.Equal(new StatusCounts(0, 1, 0), await Store.CountAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Issuers_OfTheSameSerialsAndIds_AreSeparate()
    {
        IssuerId other = new("issuing-ca-10");
        await Store.AppendAsync(Ca, 0, Entries(0, Revoked("same", Serial(1))));
        await Store.AppendAsync(other, 0, Entries(0, Issued("same", Serial(1)), Issued("more", Serial(2))));

        Assert.Equal(1, await Store.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Equal(CertificateState.Revoked, (await Store.FindStatusAsync(Ca, Serial(1), CancellationToken.None))!.State);
        Assert.Equal(CertificateState.Good, (await Store.FindStatusAsync(other, Serial(1), CancellationToken.None))!.State);
        Assert.Null(await Store.FindStatusAsync(Ca, Serial(2), CancellationToken.None));
        Assert.Single(await Store.ReadAllAsync(Ca));
        await Store.AssertAgreesWithJournalAsync(Ca);
        await Store.AssertAgreesWithJournalAsync(other);
    }

    [Fact]
    public async Task Restart_KeepsEverything()
    {
        await Store.AppendAsync(Ca, 0, Entries(0, Issued("a", Serial(1)), Revoked("b", Serial(1)), Held("c", Serial(2))));
        await Store.AppendAsync(Ca, 3, Issuances(3, 100, 500));
        List<JournalEntry> before = await Store.ReadAllAsync(Ca);

        await RestartAsync();

        Assert.Equal(before, await Store.ReadAllAsync(Ca));
        await Store.AssertAgreesWithJournalAsync(Ca);
        Assert.False((await Store.AppendAsync(Ca, 3, Issuances(3, 900, 1))).Appended);
        Assert.True((await Store.AppendAsync(Ca, 503, Issuances(503, 900, 1))).Appended);
    }

    [Theory]
    [InlineData(0, 2500)]
    [InlineData(1, 2499)]
    [InlineData(1024, 1476)]
    [InlineData(2499, 1)]
    [InlineData(2500, 0)]
    [InlineData(99_999, 0)]
    public async Task Journal_FromAPosition_ComesInOrder(long after, int count)
    {
        await Store.AppendAsync(Ca, 0, Issuances(0, 1, 2500));

        List<JournalEntry> entries = await Store.ReadAllAsync(Ca, after);

        Assert.Equal(Enumerable.Range(0, count).Select(i => after + i + 1), entries.Select(entry => entry.Position));
    }

    [Fact]
    public async Task Journal_LeftInTheMiddle_HoldsNothingUp()
    {
        await Store.AppendAsync(Ca, 0, Issuances(0, 1, 100));
        IAsyncEnumerator<JournalEntry> journal = Store.ReadJournalAsync(Ca, 0, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await journal.MoveNextAsync());

        Assert.True((await Store.AppendAsync(Ca, 100, Issuances(100, 200, 1))).Appended);

        await journal.DisposeAsync();
        Assert.Equal(101, await Store.GetPositionAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task EventIds_OfAllScriptsAndLengths_AreTheirOwn()
    {
        string[] ids =
        [
            "a", "A", "a ", " a", "ä", "a\u0308", "\U0001F510", "a\0b", "a\0c", "a\0", "日本語", "it's; DROP TABLE journal --", "{\"x\":1}", "a/b:c*?[z]",
            "\uFFFD", "\r\n", new string('x', 200), new string('x', 199) + "y", new string('\uFFFF', 200), "\uFEFFa", "0", "00", "-1",
        ];
        await Store.AppendAsync(Ca, 0, Entries(0, ids.Select((id, i) => Issued(id, Serial(i)))));
        await RestartAsync();

        IReadOnlyList<JournalEntry?> found = await Store.FindEventsAsync(Ca, [.. ids, "b", "a\0d", new string('x', 198)], CancellationToken.None);

        Assert.Equal([.. ids, null, null, null], found.Select(entry => entry?.Event.Id));
    }

    [Fact]
    public async Task Serials_OfAllFormsAndLengths_AreTheirOwn()
    {
        SerialNumber[] serials = [.. OddSerials()];
        await Store.AppendAsync(Ca, 0, Entries(0, serials.Select((serial, i) => i % 2 == 0 ? Issued($"{i}", serial) : Revoked($"{i}", serial))));
        await RestartAsync();

        IReadOnlyList<CertificateStatus?> statuses = await Store.FindStatusesAsync(Ca, serials, CancellationToken.None);

        Assert.Equal(Enumerable.Range(1, serials.Length).Select(i => (long?)i), statuses.Select(status => status?.Position));
        Assert.Equal(serials, (await Store.ReadAllAsync(Ca)).Select(entry => entry.Event.Serial));
        Assert.Null(await Store.FindStatusAsync(Ca, SerialNumber.ParseHex("0123456789"), CancellationToken.None));
    }

    [Fact]
    public async Task Lookup_OfManyWithRepeats_AnswersInTheOrderAsked()
    {
        await Store.AppendAsync(Ca, 0, Issuances(0, 1, 50));

        IReadOnlyList<CertificateStatus?> statuses =
            await Store.FindStatusesAsync(Ca, [Serial(50), Serial(999), Serial(1), Serial(50)], CancellationToken.None);

        Assert.Equal([50, null, 1, 50], statuses.Select(status => status?.Position));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(null, 7)]
    [InlineData(null, 1000)]
    [InlineData(CertificateState.Good, 3)]
    [InlineData(CertificateState.Revoked, 3)]
    [InlineData(CertificateState.Held, 3)]
    public async Task List_PageByPage_IsEveryCertificateOnceInOrder(CertificateState? state, int limit)
    {
        RevocationEvent[] events = [.. Enumerable.Range(0, 60).SelectMany(i => new[] { Issued($"i{i}", Serial(i * 77)), (i % 3) switch
        {
            0 => Revoked($"x{i}", Serial(i * 77)),
            1 => Held($"x{i}", Serial(i * 77)),
            _ => Issued($"x{i}", Serial((i * 77) + 1)),
        } }), Revoked("odd", SerialNumber.FromContent([0x80, 0x00]))];
        await Store.AppendAsync(Ca, 0, Entries(0, events));
        await Store.AppendAsync(new IssuerId("other"), 0, Entries(0, Revoked("other", Serial(3))));
        Dictionary<SerialNumber, CertificateStatus> expected = [];
        foreach (JournalEntry entry in await Store.ReadAllAsync(Ca))
        {
            expected[entry.Event.Serial] = entry.Status;
        }

        List<RecordedCertificate> listed = [];
        for (SerialNumber after = default; ; after = listed[^1].Serial)
        {
            IReadOnlyList<RecordedCertificate> page = await Store.ListAsync(Ca, state, after, limit, CancellationToken.None);
            Assert.InRange(page.Count, 0, limit);
            listed.AddRange(page);
            if (page.Count < limit)
            {
                break;
            }
        }

        Assert.Equal(
            expected.Where(pair => state is null || pair.Value.State == state).OrderBy(pair => pair.Key).Select(pair => new RecordedCertificate(pair.Key, pair.Value)),
            listed);
    }

    [Fact]
    public async Task List_OfAnUnknownIssuer_IsEmpty() =>
        Assert.Empty(await Store.ListAsync(new IssuerId("nobody"), null, default, 10, CancellationToken.None));

    [Fact]
    public async Task History_OfOneCertificate_IsItsEntriesNewestFirst()
    {
        RevocationEvent[] events =
        [
            Issued("a", Serial(7)), Issued("b", Serial(8)), Held("c", Serial(7)), Held("d", Serial(8)), Released("e", Serial(7)), Revoked("f", Serial(7)), Revoked("g", Serial(9)),
        ];
        JournalEntry[] entries = Entries(0, events);
        await Store.AppendAsync(Ca, 0, entries[..4]); // within one append and across two
        await Store.AppendAsync(Ca, 4, entries[4..]);
        await Store.AppendAsync(new IssuerId("other"), 0, Entries(0, Issued("a", Serial(7))));
        await RestartAsync();

        Assert.Equal([entries[5], entries[4], entries[2], entries[0]], await Store.FindHistoryAsync(Ca, Serial(7), 100, CancellationToken.None));
        Assert.Equal([entries[5], entries[4]], await Store.FindHistoryAsync(Ca, Serial(7), 2, CancellationToken.None));
        Assert.Equal([entries[6]], await Store.FindHistoryAsync(Ca, Serial(9), 100, CancellationToken.None));
        Assert.Empty(await Store.FindHistoryAsync(Ca, Serial(10), 100, CancellationToken.None));
        Assert.Empty(await Store.FindHistoryAsync(new IssuerId("nobody"), Serial(7), 100, CancellationToken.None));
    }

    [Fact]
    public async Task Append_FromManyAtTheSamePosition_OneWins()
    {
        Task<AppendResult>[] appends = [.. Enumerable.Range(0, 32).Select(i =>
            Task.Run(async () => await Store.AppendAsync(Ca, 0, Entries(0, Issued($"a{i}", Serial(2 * i)), Issued($"b{i}", Serial((2 * i) + 1))))))];

        AppendResult[] results = await Task.WhenAll(appends);

        Assert.Single(results, result => result.Appended);
        Assert.All(results, result => Assert.Equal(2, result.Position));
        await Store.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Append_ByManyIssuersAtOnce_EachJournalIsWhole()
    {
        IssuerId[] issuers = [.. Enumerable.Range(0, 8).Select(i => new IssuerId($"ca-{i}"))];
        await Task.WhenAll(issuers.Select(issuer => Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.True((await Store.AppendAsync(issuer, 3 * i, Issuances(3 * i, 3 * i, 3))).Appended);
                Assert.NotNull(await Store.FindStatusAsync(issuer, Serial(3 * i), CancellationToken.None)); // a read sees every append that returned
            }
        })));

        await RestartAsync();

        foreach (IssuerId issuer in issuers)
        {
            Assert.Equal(60, await Store.GetPositionAsync(issuer, CancellationToken.None));
            await Store.AssertAgreesWithJournalAsync(issuer);
        }
    }

    [Fact]
    public async Task Reads_WhileAppending_SeeWholeAppendsOnly()
    {
        using CancellationTokenSource done = new();
        Task reader = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                // Every append revokes both or releases neither: a reader that sees one only saw half of it.
                IReadOnlyList<CertificateStatus?> pair = await Store.FindStatusesAsync(Ca, [Serial(1), Serial(2)], CancellationToken.None);
                Assert.Equal(pair[0]?.State, pair[1]?.State);
            }
        });

        for (int i = 0; i < 50; i++)
        {
            RevocationEvent[] events = i % 2 == 0
                ? [Held($"h1-{i}", Serial(1)), Held($"h2-{i}", Serial(2))]
                : [Released($"r1-{i}", Serial(1)), Released($"r2-{i}", Serial(2))];
            JournalEntry[] entries = i % 2 == 0
                ? Entries(2 * i, events)
                : [.. Entries(2 * i - 2, [Held("x", Serial(1)), Held("y", Serial(2)), .. events]).Skip(2)];
            Assert.True((await Store.AppendAsync(Ca, 2 * i, entries)).Appended);
        }

        await done.CancelAsync();
        await reader;
        await Store.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Read_Cancelled_Throws()
    {
        CancellationToken cancelled = new(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.FindStatusAsync(Ca, Serial(1), cancelled));
    }

    /// <summary>Closes the store, and opens it again.</summary>
    protected async Task RestartAsync()
    {
        await Store.DisposeAsync();
        Store = await OpenAsync();
    }

    private static IEnumerable<SerialNumber> OddSerials()
    {
        yield return Serial(0);
        yield return Serial(-1);
        yield return Serial(255); // 00 FF, which must not be taken for FF (-1)
        yield return SerialNumber.FromContent([0x00, 0x80]);
        yield return SerialNumber.FromContent([0x80]);
        yield return SerialNumber.FromContent([0x80, 0x00]);
        for (int length = 2; length <= 40; length++)
        {
            yield return SerialNumber.FromContent([0x7F, .. Enumerable.Repeat((byte)0x00, length - 1)]);
            yield return SerialNumber.FromContent([0x00, 0xFF, .. Enumerable.Repeat((byte)length, length - 1)]);
            yield return SerialNumber.FromInteger(-BigInteger.Pow(2, (8 * length) - 2));
        }

        yield return SerialNumber.FromContent([0x01, .. Enumerable.Repeat((byte)0xFF, 999)]);
    }
}
