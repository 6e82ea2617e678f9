using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

/// <summary>Answers that are signed in lots, whose statuses were read together.</summary>
public sealed class RefreshLotTests : IDisposable
{
    private const int Certificates = 60;
    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly DictionaryStore _store = new();
    private readonly ResponderUnderTest _test;
    private readonly RefreshScheduler _scheduler;
    private readonly ConcurrentQueue<(SerialNumber Serial, bool IsRevoked)> _stored = new();

    public RefreshLotTests()
    {
        for (int i = 1; i <= Certificates; i++)
        {
            _store.Add(Serial(i), CertificateStatus.Good);
        }

        // One signature at a time, and lots of forty.
        _test = new ResponderUnderTest(
            new IssuerPolicy { Presign = Presign.All, RefreshSignaturesPerSecond = 4000 }, limits: new SignerLimits { Concurrency = 1, Deadline = TimeSpan.FromMinutes(1) }, isRemote: true);
        _test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        _scheduler = new RefreshScheduler(_test.Issuer, _test.Cache, _test.Responder, _test.Clock, NullLogger.Instance, _store);
        _test.Cache.Stored += (_, stored) => _stored.Enqueue((CertId.Decode(stored.CertId).SerialNumber, stored.IsRevoked));
    }

    public void Dispose() => _scheduler.Dispose();

    [Fact]
    public async Task Revoked_WhileALotIsSigned_ComesNext_AndIsNotSignedFromTheStatusThatWasReadBefore()
    {
        Task run = StartSigning();
        int read = _test.Source.Asked;
        Assert.InRange(read, 2, Certificates); // the first one waits for the signer, and the statuses of others are read
        await RevokeAsync(Serial(20));
        _test.Signer.Gate.Set();
        await run;
        Assert.Equal(Serial(20), _stored.ElementAt(1).Serial);
        await FinishAsync();
        Assert.Equal(true, Peek(Serial(20))?.IsRevoked);
        Assert.DoesNotContain((Serial(20), false), _stored);
        Assert.Equal(Certificates, _scheduler.Signatures);
        Assert.Equal(Certificates, _stored.DistinctBy(one => one.Serial).Count());
    }

    [Fact]
    public async Task Revoked_NotYetAnnounced_IsNotStoredFromTheStatusThatWasReadBefore()
    {
        Task run = StartSigning();
        _test.Source.Find = StatusWith(Serial(20));
        _test.Cache.Forget(ResponderUnderTest.Id, Serial(20)); // as a publication does, before the scheduler hears of it
        _test.Signer.Gate.Set();
        await run;
        await FinishAsync();
        Assert.Equal(true, Peek(Serial(20))?.IsRevoked);
        Assert.DoesNotContain((Serial(20), false), _stored);
    }

    [Fact]
    public async Task SignerFails_TheRestOfTheLot_IsSignedWhenItIsBack()
    {
        Task run = StartSigning();
        _test.Signer.IsDown = true;
        _test.Signer.Gate.Set();
        await run;
        Assert.InRange(_test.Signer.Signatures, 1, 5);
        Assert.Equal(Certificates, _scheduler.Backlog);
        _test.Signer.IsDown = false;
        await FinishAsync();
        Assert.Equal(Certificates, _test.Cache.Count);
    }

    [Fact]
    public async Task Cancelled_TheRestOfTheLot_IsGivenBack()
    {
        using CancellationTokenSource end = new();
        _test.Source.AfterRead = end.Cancel;
        _test.Clock.Advance(RefreshScheduler.Tick);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _scheduler.RunOnceAsync(end.Token));
        _test.Source.AfterRead = null;
        Assert.Equal(Certificates, _scheduler.Backlog);
        await FinishAsync();
        Assert.Equal(Certificates, _test.Cache.Count);
    }

    [Fact]
    public async Task Statuses_ThatCannotBeListed_ComeFromTheJournal()
    {
        _store.ListFailure = new RevocationStoreException("A row is damaged.");
        await FinishAsync();
        Assert.True(_scheduler.IsComplete);
        Assert.Equal(Certificates, _test.Cache.Count);
    }

    [Fact]
    public async Task Certificates_AreSignedInTheOrderOfTheirSerialNumbers()
    {
        _store.Add(SerialNumber.FromInteger(5), CertificateStatus.Good);
        await FinishAsync();
        Assert.Equal(_stored.Select(one => one.Serial).Order(), _stored.Select(one => one.Serial));
        Assert.Equal(Certificates + 1, _stored.Count);
    }

    private static SerialNumber Serial(int i) => SerialNumber.FromInteger(1_000_000 + i);

    private static Func<SerialNumber, CertificateStatus?> StatusWith(SerialNumber revoked) =>
        serial => (serial == revoked ? CertificateStatus.RevokedAt(s_revokedAt) with { Position = Certificates + 1 } : CertificateStatus.Good) with { HoldsFor = Timeout.InfiniteTimeSpan };

    private CachedResponse? Peek(SerialNumber serial) => _test.Cache.Peek(ResponderUnderTest.Id, serial, CertId.Create(Issuers.Alpha.Certificate, serial).Encoded.Span);

    // Until the first signature of the first lot waits in the signer.
    private Task StartSigning()
    {
        _test.Signer.Gate.Reset();
        _test.Clock.Advance(RefreshScheduler.Tick);
        Task run = Task.Run(() => _scheduler.RunOnceAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => _test.Signer.Signatures == 1, TimeSpan.FromSeconds(30)), "Nothing is signed.");
        return run;
    }

    private async Task RevokeAsync(SerialNumber serial)
    {
        _test.Source.Find = StatusWith(serial);
        JournalEntry entry = new(
            Certificates + 1, new RevocationEvent { Id = "r", Serial = serial, Kind = EventKind.Revoked, At = s_revokedAt }, s_revokedAt, CertificateStatus.RevokedAt(s_revokedAt) with { Position = Certificates + 1 });
        await new CachePublisher(_test.Cache).PublishAsync(ResponderUnderTest.Id, [entry]);
        _scheduler.Announce([entry]);
    }

    private async Task FinishAsync()
    {
        for (int i = 0; i < 1200 && (!_scheduler.IsComplete || _scheduler.Backlog > 0); i++)
        {
            _test.Clock.Advance(RefreshScheduler.Tick);
            await _scheduler.RunOnceAsync(TestContext.Current.CancellationToken);
        }
    }
}
