using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

/// <summary>Which of the answers that were kept are given, and which are signed anew.</summary>
public sealed class KeptResponsesTests : IAsyncDisposable
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly CertificateStatus s_good = CertificateStatus.Good with { Position = 7, HoldsFor = Timeout.InfiniteTimeSpan };

    private readonly MemoryResponseStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Miss_OfAnAnswerThatWasKept_SpendsNoSignature()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, s_good);
        Assert.Equal((await first.AnswerAsync()).Body, (await second.AnswerAsync()).Body);
        Assert.Equal(0, second.Signer.Signatures);
        await second.AnswerAsync();
        Assert.Equal(1, _store.Finds); // from then on it is in the cache
        await second.Kept!.DrainAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, _store.Saved); // and is not kept twice
    }

    [Fact]
    public async Task Status_OfAnotherPosition_IsSignedAnew()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, s_good with { Position = 8 });
        await second.AnswerAsync();
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Status_OfTheSamePositionThatSaysOtherwise_IsSignedAnew()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, CertificateStatus.RevokedAt(s_revokedAt) with { Position = 7 }); // a journal that was restored from a backup
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await second.StatusAsync());
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Credential_ThatDoesNotSignAnyMore_IsSignedAnew()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, s_good, [Issuers.AlphaByP384]);
        second.Issuer.ReplaceCredentials([second.Issuer.Credentials[1]]);
        await second.AnswerAsync();
        Assert.Equal(1, second.Signers[1].Signatures);
    }

    [Fact]
    public async Task NextUpdate_Over_IsSignedAnew_AndAtIt_IsNot()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        DateTimeOffset nextUpdate = (await first.AnswerAsync()).Response!.NextUpdate;
        first.Clock.SetUtcNow(nextUpdate.AddSeconds(1));
        ResponderUnderTest second = Restart(first, s_good);
        await second.AnswerAsync();
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Due_IsGivenWhereNothingNewerCanBeSigned()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        first.Clock.SetUtcNow((await first.AnswerAsync()).Response!.NextUpdate.AddHours(-1));
        ResponderUnderTest second = Restart(first, s_good);
        second.Signer.IsDown = true;
        Assert.Equal(OcspOutcome.Answered, (await second.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task Policy_WithAShorterValidity_IsSignedAnew()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, s_good, policy: new IssuerPolicy { Validity = TimeSpan.FromDays(3) });
        await second.AnswerAsync();
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Octets_AnyOfThemChanged_AreNeverGiven()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        byte[] body = (await first.AnswerAsync()).Body.ToArray();
        KeptResponse kept = _store.Single();
        for (int i = 0; i < body.Length; i++)
        {
            byte[] changed = [.. body];
            changed[i] ^= 0x04;
            _store.Replace(kept with { Encoded = changed });
            ResponderUnderTest second = Restart(first, s_good);
            OcspReply reply = await second.AnswerAsync();
            byte[] given = reply.Body.ToArray();
            Assert.True(reply.Outcome == OcspOutcome.Answered, $"octet {i}, {changed[i]:X2}: {reply.Outcome}");
            Assert.NotEqual(changed, given);
            Assert.Equal(1, second.Signer.Signatures);
        }
    }

    [Fact]
    public async Task AnotherCertificatesAnswer_InItsPlace_IsNeverGiven()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        KeptResponse kept = _store.Single();
        SerialNumber other = SerialNumber.ParseHex("4321");
        _store.Replace(kept with { Serial = other, CertId = CertId.Create(Issuers.Alpha.Certificate, other).Encoded });
        ResponderUnderTest second = Restart(first, s_good);
        Assert.Equal(other, OcspResponse.Decode((await second.AnswerAsync(ResponderUnderTest.Ask(other))).Body).Basic!.Data.Responses[0].CertId.SerialNumber);
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Certificate_ThatHasEndedSince_IsSignedWithItsArchiveCutoff()
    {
        CertificateStatus status = s_good with { NotAfter = new ResponderUnderTest().Clock.GetUtcNow().AddHours(1) };
        ResponderUnderTest first = await FilledAsync(status);
        first.Clock.Advance(TimeSpan.FromHours(2));
        ResponderUnderTest second = Restart(first, status);
        await second.AnswerAsync();
        Assert.Equal(1, second.Signer.Signatures);
    }

    [Fact]
    public async Task Status_OfNoJournal_IsNotKept()
    {
        ResponderUnderTest test = await FilledAsync(s_good with { Position = 0 });
        Assert.Equal(0, _store.Saved);
        Assert.Equal(1, test.Signer.Signatures);
    }

    [Fact]
    public async Task StoreDown_EverythingIsAnswered()
    {
        _store.IsDown = true;
        ResponderUnderTest test = await FilledAsync(s_good);
        Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync()).Outcome);
        _store.IsDown = false;
        await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.ParseHex("77")));
        await test.Kept!.DrainAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, _store.Saved);
    }

    [Fact]
    public async Task Stop_SavesWhatIsInTheQueue()
    {
        ResponderUnderTest test = new(kept: _store);
        test.Source.Find = _ => s_good;
        for (int i = 1; i <= 500; i++)
        {
            await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(i)));
        }

        await test.Kept!.StartAsync(CancellationToken.None);
        await test.Kept.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(500, _store.Saved);
    }

    [Fact]
    public async Task PresignAll_AfterARestart_SignsOnlyWhatIsNotKept_AndRefreshesThatInTime()
    {
        IssuerPolicy policy = new() { Presign = Presign.All, RefreshSignaturesPerSecond = 10_000 };
        DictionaryStore journal = new();
        Dictionary<SerialNumber, CertificateStatus> statuses = [];
        for (int i = 1; i <= 2500; i++)
        {
            statuses[Serial(i)] = s_good with { Position = i };
            journal.Add(Serial(i), statuses[Serial(i)]);
        }

        ResponderUnderTest first = new(policy, kept: _store);
        first.Source.Find = serial => statuses[serial];
        await first.Kept!.StartAsync(CancellationToken.None);
        using (RefreshScheduler scheduler = new(first.Issuer, first.Cache, first.Responder, first.Clock, NullLogger.Instance, journal, kept: first.Kept))
        {
            await RunAsync(first, scheduler, TimeSpan.FromSeconds(3));
            Assert.Equal(2500, scheduler.Signatures);
        }

        await first.Kept.StopAsync(TestContext.Current.CancellationToken);
        statuses[Serial(5)] = CertificateStatus.RevokedAt(s_revokedAt) with { Position = 2501, HoldsFor = Timeout.InfiniteTimeSpan };
        journal.Add(Serial(5), statuses[Serial(5)]);
        statuses[Serial(9999)] = s_good with { Position = 2502 };
        journal.Add(Serial(9999), statuses[Serial(9999)]);

        ResponderUnderTest second = new(policy, kept: _store, clock: first.Clock);
        second.Source.Find = serial => statuses[serial];
        using RefreshScheduler again = new(second.Issuer, second.Cache, second.Responder, second.Clock, NullLogger.Instance, journal, kept: second.Kept);
        await RunAsync(second, again, TimeSpan.FromSeconds(3));
        Assert.Equal(2, again.Signatures);
        Assert.Equal(2501, again.Tracked);
        Assert.Equal(CertStatus.Good, await second.StatusAsync(ResponderUnderTest.Ask(Serial(2500))));
        Assert.Equal(2, second.Signer.Signatures);

        second.Clock.Advance(TimeSpan.FromDays(2));
        await RunAsync(second, again, TimeSpan.FromSeconds(3));
        Assert.Equal(2503, again.Signatures); // each in its time
    }

    [Fact]
    public async Task ResignAll_WhatWasKept_IsSignedAnewWhenItIsFound()
    {
        ResponderUnderTest first = await FilledAsync(s_good);
        ResponderUnderTest second = Restart(first, s_good);
        using RefreshScheduler scheduler = new(second.Issuer, second.Cache, second.Responder, second.Clock, NullLogger.Instance, kept: second.Kept);
        scheduler.ResignAll();
        await second.AnswerAsync();
        Assert.Equal(1, second.Signer.Signatures);
    }

    private static SerialNumber Serial(int i) => SerialNumber.FromInteger(1_000_000 + i);

    private static async Task RunAsync(ResponderUnderTest test, RefreshScheduler scheduler, TimeSpan time)
    {
        for (DateTimeOffset end = test.Clock.GetUtcNow() + time; test.Clock.GetUtcNow() < end;)
        {
            test.Clock.Advance(RefreshScheduler.Tick);
            await scheduler.RunOnceAsync(TestContext.Current.CancellationToken);
        }
    }

    private async Task<ResponderUnderTest> FilledAsync(CertificateStatus status)
    {
        ResponderUnderTest test = new(kept: _store);
        test.Source.Find = _ => status;
        await test.Kept!.StartAsync(CancellationToken.None);
        Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync()).Outcome);
        await test.Kept.DrainAsync(TestContext.Current.CancellationToken);
        _store.Finds = 0;
        return test;
    }

    private ResponderUnderTest Restart(ResponderUnderTest before, CertificateStatus status, IReadOnlyList<Testing.TestCertificate>? others = null, IssuerPolicy? policy = null)
    {
        ResponderUnderTest test = new(policy, others: others, kept: _store, clock: before.Clock);
        test.Source.Find = _ => status;
        return test;
    }

    /// <summary>Keeps answers in memory, and fails as a test likes.</summary>
    private sealed class MemoryResponseStore : IResponseStore
    {
        private readonly ConcurrentDictionary<(IssuerId, SerialNumber, string, Digest), KeptResponse> _all = new();

        public bool IsDown { get; set; }

        public int Saved { get; private set; }

        public int Finds { get; set; }

        public KeptResponse Single() => Assert.Single(_all.Values);

        public void Replace(KeptResponse response)
        {
            _all.Clear();
            Put(ResponderUnderTest.Id, response);
        }

        public ValueTask SaveAsync(IssuerId issuer, IReadOnlyList<KeptResponse> responses, CancellationToken cancellationToken)
        {
            ThrowIfDown();
            foreach (KeptResponse response in responses)
            {
                Put(issuer, response);
                Saved++;
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask<IReadOnlyList<KeptResponse>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
        {
            ThrowIfDown();
            Finds++;
            return ValueTask.FromResult<IReadOnlyList<KeptResponse>>([.. _all.Where(pair => pair.Key.Item1 == issuer && pair.Key.Item2 == serial).Select(pair => pair.Value)]);
        }

        public IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, CancellationToken cancellationToken) =>
            _all.Where(pair => pair.Key.Item1 == issuer).Select(pair => pair.Value).ToArray().ToAsyncEnumerable();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Put(IssuerId issuer, KeptResponse response) => _all[(issuer, response.Serial, Convert.ToHexString(response.CertId.Span), response.Credential)] = response;

        private void ThrowIfDown()
        {
            if (IsDown)
            {
                throw new RevocationStoreException("The disk is away.");
            }
        }
    }
}
