using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

public sealed class RefreshSchedulerTests : IDisposable
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private ResponderUnderTest _test = null!;
    private RefreshScheduler _scheduler = null!;

    public void Dispose() => _scheduler.Dispose();

    [Fact]
    public async Task Asked_AnAnswerThatWasAskedFor_IsRenewedBeforeARequestFindsItDue()
    {
        Start();
        SignedResponse first = (await _test.AnswerAsync()).Response!;
        await RunUntilAsync(first.RefreshAt);
        SignedResponse second = (await _test.AnswerAsync()).Response!;
        Assert.True(second.ProducedAt > first.ProducedAt);
        Assert.True(second.ProducedAt < first.RefreshAt);
        Assert.Equal(2, _test.Signer.Signatures);
    }

    [Fact]
    public async Task Asked_NobodyAsksAnyMore_IsLetGoAfterAskedWithin_AndNotBefore()
    {
        Start(new IssuerPolicy { AskedWithin = TimeSpan.FromDays(8) });
        await _test.AnswerAsync();
        DateTimeOffset asked = _test.Clock.GetUtcNow();
        await RunUntilAsync(asked.AddDays(7.5));
        Assert.Equal(1, _scheduler.Tracked);
        Assert.True(_test.Cache.Peek(ResponderUnderTest.Id, ResponderUnderTest.Serial, CertIdOf(ResponderUnderTest.Serial)) is { } cached && cached.Response.NextUpdate > _test.Clock.GetUtcNow());

        await RunUntilAsync(asked.AddDays(14));
        Assert.Equal(0, _scheduler.Tracked);
        long signatures = _test.Signer.Signatures;
        await RunUntilAsync(asked.AddDays(30));
        Assert.Equal(signatures, _test.Signer.Signatures);
    }

    [Fact]
    public async Task Asked_AskedAgainNowAndThen_IsKeptForGood()
    {
        Start(new IssuerPolicy { AskedWithin = TimeSpan.FromDays(3) });
        for (int day = 0; day < 30; day += 2)
        {
            long before = _test.Signer.Signatures;
            Assert.Equal(OcspOutcome.Answered, (await _test.AnswerAsync()).Outcome);
            Assert.True(day == 0 || before == _test.Signer.Signatures, "A client waited for a signature.");
            await RunUntilAsync(_test.Clock.GetUtcNow().AddDays(2));
        }
    }

    [Fact]
    public async Task OnDemand_NothingIsSignedThatNobodyAsksFor()
    {
        Start(new IssuerPolicy { Presign = Presign.OnDemand });
        await _test.AnswerAsync();
        await RunUntilAsync(_test.Clock.GetUtcNow().AddDays(10));
        Assert.Equal(1, _test.Signer.Signatures);
        Assert.Equal(0, _scheduler.Tracked);
    }

    [Fact]
    public async Task All_EveryCertificateOfTheJournal_IsSignedWithinThePace_AndStaysSigned()
    {
        DictionaryStore store = new();
        for (int i = 1; i <= 300; i++)
        {
            store.Add(Serial(i), i % 100 == 0 ? CertificateStatus.Good with { NotAfter = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) } : CertificateStatus.Good);
        }

        store.Add(Serial(1), CertificateStatus.RevokedAt(s_revokedAt)); // two entries, one certificate
        Start(new IssuerPolicy { Presign = Presign.All, RefreshSignaturesPerSecond = 50 }, store);
        await RunForAsync(TimeSpan.FromSeconds(2));
        Assert.InRange(_scheduler.Signatures, 95, 105);
        await RunForAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(297, _scheduler.Signatures); // three are expired
        Assert.Equal(297, _test.Cache.Count);
        Assert.Equal(0, _scheduler.Backlog);

        DateTimeOffset end = _test.Clock.GetUtcNow().AddDays(9);
        while (_test.Clock.GetUtcNow() < end)
        {
            await RunForAsync(TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));
            Assert.True(_scheduler.TimeToFirstExpiry > RefreshRules.BrLead, $"{_scheduler.TimeToFirstExpiry} to the first expiry");
        }

        Assert.InRange(_scheduler.Signatures, 297 * 5, 297 * 6); // every 43 hours for 9 days, and once at the start
    }

    [Fact]
    public async Task All_SeveralHashes_EachFormIsSigned()
    {
        DictionaryStore store = new();
        store.Add(Serial(1), CertificateStatus.Good);
        Start(new IssuerPolicy { Presign = Presign.All, PresignHashes = [CertIdHash.Sha1, CertIdHash.Sha256] }, store);
        await RunForAsync(TimeSpan.FromSeconds(1));
        await PublishAsync(Entry(Serial(2), EventKind.Issued, CertificateStatus.Good));
        await RunForAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(4, _test.Signer.Signatures);
        foreach (CertIdHash hash in new[] { CertIdHash.Sha1, CertIdHash.Sha256 })
        {
            Assert.NotNull(_test.Cache.Peek(ResponderUnderTest.Id, Serial(1), CertId.Create(Issuers.Alpha.Certificate, Serial(1), hash).Encoded.Span));
            Assert.NotNull(_test.Cache.Peek(ResponderUnderTest.Id, Serial(2), CertId.Create(Issuers.Alpha.Certificate, Serial(2), hash).Encoded.Span));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Backlog_AsManyAtOnceAsTheSignerMakes_AndNoMore(int concurrency)
    {
        DictionaryStore store = new();
        for (int i = 1; i <= 100; i++)
        {
            store.Add(Serial(i), CertificateStatus.Good);
        }

        Start(new IssuerPolicy { Presign = Presign.All, RefreshSignaturesPerSecond = 1000 }, store, new SignerLimits { Concurrency = concurrency, Deadline = TimeSpan.FromMinutes(1) }, isRemote: true);
        _test.Signer.Gate.Reset();
        _test.Clock.Advance(RefreshScheduler.Tick);
        Task run = Task.Run(() => _scheduler.RunOnceAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => _test.Signer.Signatures == concurrency, TimeSpan.FromSeconds(30)), $"{_test.Signer.Signatures} at once");
        Assert.False(run.IsCompleted);
        Assert.Equal(concurrency, _test.Signer.Signatures);
        _test.Signer.Gate.Set();
        await run;
        await RunForAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(100, _scheduler.Signatures);
        Assert.Equal(100, _test.Signer.Signatures); // none twice
    }

    [Fact]
    public async Task Pace_ABacklog_IsWorkedOffEvenly()
    {
        DictionaryStore store = new();
        for (int i = 1; i <= 500; i++)
        {
            store.Add(Serial(i), CertificateStatus.Good);
        }

        Start(new IssuerPolicy { Presign = Presign.All, RefreshSignaturesPerSecond = 40 }, store);
        List<long> perSecond = [];
        for (int second = 0; second < 10; second++)
        {
            long before = _scheduler.Signatures;
            await RunForAsync(TimeSpan.FromSeconds(1));
            perSecond.Add(_scheduler.Signatures - before);
        }

        Assert.All(perSecond, count => Assert.InRange(count, 39, 41));
    }

    [Fact]
    public async Task Revoked_IsSignedBeforeTheBacklog()
    {
        DictionaryStore store = new();
        for (int i = 1; i <= 100; i++)
        {
            store.Add(Serial(i), CertificateStatus.Good);
        }

        Start(new IssuerPolicy { Presign = Presign.All, RefreshSignaturesPerSecond = 10 }, store);
        await RunForAsync(TimeSpan.FromMilliseconds(100));
        _test.Source.Find = serial => serial == Serial(90) ? CertificateStatus.RevokedAt(s_revokedAt) : CertificateStatus.Good;
        await PublishAsync(Entry(Serial(90), EventKind.Revoked, CertificateStatus.RevokedAt(s_revokedAt)));
        await RunForAsync(TimeSpan.FromMilliseconds(100));
        Assert.True(_test.Cache.Peek(ResponderUnderTest.Id, Serial(90), CertIdOf(Serial(90)))?.IsRevoked);
        Assert.InRange(_scheduler.Signatures, 1, 2);
    }

    [Fact]
    public async Task Revoked_AnswerThatWasAskedFor_IsThereBeforeItIsAskedForAgain()
    {
        Start();
        await _test.AnswerAsync();
        _test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt) with { HoldsFor = Timeout.InfiniteTimeSpan };
        await PublishAsync(Entry(ResponderUnderTest.Serial, EventKind.Revoked, CertificateStatus.RevokedAt(s_revokedAt)));
        await RunForAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(2, _test.Signer.Signatures);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await _test.StatusAsync());
        Assert.Equal(2, _test.Signer.Signatures);
    }

    [Fact]
    public async Task Issued_WithPresignAll_IsSignedBeforeSomebodyAsks()
    {
        Start(new IssuerPolicy { Presign = Presign.All }, new DictionaryStore());
        await RunForAsync(TimeSpan.FromMilliseconds(100));
        await PublishAsync(Entry(Serial(5), EventKind.Issued, CertificateStatus.Good));
        await RunForAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, _test.Cache.Count);
    }

    [Fact]
    public async Task SignerDown_OldAnswersGoOn_TriesAreFew_AndEverythingIsCaughtUpWith()
    {
        Start(new IssuerPolicy { RefreshSignaturesPerSecond = 100 });
        for (int i = 1; i <= 200; i++)
        {
            await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(i)));
        }

        DateTimeOffset firstDue = _test.Clock.GetUtcNow() + (IssuerPolicy.Default.Validity * 0.5 * 0.8);
        await RunUntilAsync(firstDue);
        _test.Signer.IsDown = true;
        long before = _test.Signer.Signatures;
        await RunUntilAsync(firstDue.AddHours(8), TimeSpan.FromSeconds(20));
        Assert.True(_scheduler.Backlog > 100, $"backlog {_scheduler.Backlog}");
        Assert.InRange(_test.Signer.Signatures - before, 10, 600); // one a minute
        Assert.True(_scheduler.IsResting);
        Assert.Equal(CertStatus.Good, await _test.StatusAsync(ResponderUnderTest.Ask(Serial(1))));

        _test.Signer.IsDown = false;
        await RunForAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(0, _scheduler.Backlog);
        Assert.False(_scheduler.IsResting);
        Assert.True(_scheduler.TimeToFirstExpiry > TimeSpan.FromDays(2));
    }

    [Fact]
    public async Task OneStatusThatCannotBeRead_DoesNotHoldUpTheOthers()
    {
        DictionaryStore store = new();
        for (int i = 1; i <= 20; i++)
        {
            store.Add(Serial(i), CertificateStatus.Good);
        }

        Start(new IssuerPolicy { Presign = Presign.All }, store);
        bool isDamaged = true;
        _test.Source.Find = serial => serial == Serial(1) && isDamaged ? throw new RevocationStoreException("The row is damaged.") : CertificateStatus.Good;
        await RunForAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(19, _scheduler.Signatures);
        isDamaged = false;
        await RunForAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(20, _scheduler.Signatures);
    }

    [Fact]
    public async Task ResignAll_EveryAnswer_WithProgressAndEta()
    {
        Start(new IssuerPolicy { RefreshSignaturesPerSecond = 10 });
        for (int i = 1; i <= 100; i++)
        {
            await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(i)));
        }

        Assert.Null(_scheduler.Resigning);
        _test.Clock.Advance(TimeSpan.FromMinutes(1));
        DateTimeOffset start = _test.Clock.GetUtcNow();
        ResignProgress begun = _scheduler.ResignAll();
        Assert.Equal((100, 0, null), (begun.Total, begun.Done, begun.Remaining));

        await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(77))); // who asks does not wait for the pace
        await RunForAsync(TimeSpan.FromSeconds(5));
        ResignProgress half = _scheduler.Resigning!;
        Assert.InRange(half.Done, 50, 52);
        Assert.InRange(half.Remaining!.Value.TotalSeconds, 4.5, 5.5);
        Assert.False(half.IsComplete);

        await RunForAsync(TimeSpan.FromSeconds(6));
        Assert.Equal((true, 100, TimeSpan.Zero), (_scheduler.Resigning!.IsComplete, _scheduler.Resigning.Done, _scheduler.Resigning.Remaining));
        Assert.Equal(200, _test.Signer.Signatures);
        Assert.All(_test.Cache.All(ResponderUnderTest.Id), answer => Assert.True(answer.Response.Response.ProducedAt >= start.AddSeconds(-1)));
    }

    [Fact]
    public async Task ResignAll_OnDemandToo_AtAnotherPace_AndNothingIsTrackedAfterwards()
    {
        Start(new IssuerPolicy { Presign = Presign.OnDemand, RefreshSignaturesPerSecond = 1 });
        for (int i = 1; i <= 50; i++)
        {
            await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(i)));
        }

        _scheduler.ResignAll(signaturesPerSecond: 50);
        await RunForAsync(TimeSpan.FromSeconds(2));
        Assert.True(_scheduler.Resigning!.IsComplete);
        Assert.Equal(100, _test.Signer.Signatures);
        Assert.Equal(0, _scheduler.Tracked);
    }

    [Fact]
    public async Task ClockDoubtful_NothingIsSigned_AndCachedAnswersGoOn()
    {
        Start();
        await _test.AnswerAsync();
        _test.Clock.Advance(TimeSpan.FromHours(1));
        _test.Clock.SetUtcNow(_test.Clock.GetUtcNow().AddMinutes(-30));
        Assert.Equal(CertStatus.Good, await _test.StatusAsync());
        OcspReply other = await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(2)));
        Assert.Equal(OcspOutcome.ClockDoubtful, other.Outcome);
        Assert.Equal(OcspResponse.TryLater.Encoded, other.Body);
        _scheduler.ResignAll();
        await RunForAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, _test.Signer.Signatures);

        _test.Guard.Accept();
        await RunForAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, _test.Signer.Signatures);
        Assert.Equal(OcspOutcome.Answered, (await _test.AnswerAsync(ResponderUnderTest.Ask(Serial(2)))).Outcome);
    }

    [Fact]
    public async Task InventoryUnknown_SerialsThatAnybodyMakesUp_AreNotKeptFresh()
    {
        Start(new IssuerPolicy { Inventory = Inventory.Unknown });
        _test.Source.Find = _ => null;
        Assert.Equal(OcspOutcome.Answered, (await _test.AnswerAsync()).Outcome);
        Assert.Equal(0, _scheduler.Tracked);
    }

    [Fact]
    public async Task Forms_EachFormThatWasAskedFor_IsRenewed()
    {
        Start();
        DateTimeOffset start = _test.Clock.GetUtcNow();
        CertId[] forms =
        [
            .. CertIdHash.All.Select(hash => CertId.Create(Issuers.Alpha.Certificate, ResponderUnderTest.Serial, hash)),
            .. CertIdHash.All.Select(hash => CertId.Create(Issuers.Alpha.Certificate, ResponderUnderTest.Serial, hash, nullParameters: false)),
        ];
        foreach (CertId form in forms)
        {
            await _test.AnswerAsync(new OcspRequestBuilder().Add(form).Build().Encoded.ToArray());
        }

        Assert.Equal(8, _scheduler.Tracked);
        await RunUntilAsync(start + (IssuerPolicy.Default.Validity * 0.5));
        Assert.Equal(16, _test.Signer.Signatures);
        Assert.All(forms, form => Assert.True(_test.Cache.Peek(ResponderUnderTest.Id, form.SerialNumber, form.Encoded.Span)?.Response.ProducedAt > start));
    }

    private static SerialNumber Serial(int i) => SerialNumber.FromInteger(1_000_000 + i);

    private static ReadOnlySpan<byte> CertIdOf(SerialNumber serial) => CertId.Create(Issuers.Alpha.Certificate, serial).Encoded.Span;

    private static JournalEntry Entry(SerialNumber serial, EventKind kind, CertificateStatus status) =>
        new(1, new RevocationEvent { Id = "1", Serial = serial, Kind = kind, At = s_revokedAt }, s_revokedAt, status);

    private void Start(IssuerPolicy? policy = null, IRevocationStore? store = null, SignerLimits? limits = null, bool isRemote = false)
    {
        _test = new ResponderUnderTest(policy, limits: limits, isRemote: isRemote);
        _test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        _scheduler = new RefreshScheduler(_test.Issuer, _test.Cache, _test.Responder, _test.Clock, NullLogger.Instance, store);
    }

    private async Task PublishAsync(JournalEntry entry)
    {
        await new CachePublisher(_test.Cache).PublishAsync(ResponderUnderTest.Id, [entry]);
        _scheduler.Announce([entry]);
    }

    private Task RunForAsync(TimeSpan time, TimeSpan? step = null) => RunUntilAsync(_test.Clock.GetUtcNow() + time, step ?? RefreshScheduler.Tick);

    private async Task RunUntilAsync(DateTimeOffset end, TimeSpan? step = null)
    {
        while (_test.Clock.GetUtcNow() < end)
        {
            _test.Clock.Advance(step ?? TimeSpan.FromMinutes(1));
            await _scheduler.RunOnceAsync(TestContext.Current.CancellationToken);
        }
    }
}
