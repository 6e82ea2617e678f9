using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

public sealed class OcspResponderTests
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task Answer_SecondTime_ComesFromTheCache()
    {
        ResponderUnderTest test = new();
        OcspReply first = await test.AnswerAsync();
        OcspReply second = await test.AnswerAsync();
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(1, test.Signer.Signatures);
    }

    [Fact]
    public async Task Answer_StatusThatHoldsForNothing_AsksTheSourceEachTime()
    {
        ResponderUnderTest test = new();
        await test.AnswerAsync();
        await test.AnswerAsync();
        Assert.Equal(2, test.Source.Asked);

        test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync());
    }

    [Fact]
    public async Task Answer_StatusThatHoldsForAMinute_AsksTheSourceAfterThat()
    {
        ResponderUnderTest test = new();
        test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = TimeSpan.FromMinutes(1) };
        await test.AnswerAsync();
        test.Clock.Advance(TimeSpan.FromSeconds(59));
        await test.AnswerAsync();
        Assert.Equal(1, test.Source.Asked);

        test.Clock.Advance(TimeSpan.FromSeconds(2));
        await test.AnswerAsync();
        Assert.Equal(2, test.Source.Asked);
        Assert.Equal(1, test.Signer.Signatures);
    }

    [Fact]
    public async Task Answer_RevokedWhileItWasRead_IsNotTheOldStatus()
    {
        ResponderUnderTest test = new();
        bool isRevoked = false;
        test.Source.Find = _ => (isRevoked ? CertificateStatus.RevokedAt(s_revokedAt) : CertificateStatus.Good) with { HoldsFor = Timeout.InfiniteTimeSpan };
        test.Source.AfterRead = () =>
        {
            test.Source.AfterRead = null;
            isRevoked = true; // durable now, and published before the answer that was read as good could be stored
            test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        };

        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync());
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync());
    }

    [Fact]
    public async Task AnswerWithNonce_RevokedWhileItWasRead_IsNotTheOldStatus()
    {
        ResponderUnderTest test = new();
        bool isRevoked = false;
        test.Source.Find = _ => isRevoked ? CertificateStatus.RevokedAt(s_revokedAt) : CertificateStatus.Good;
        test.Source.AfterRead = () =>
        {
            test.Source.AfterRead = null;
            isRevoked = true;
            test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        };

        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync(ResponderUnderTest.AskWithNonce(ResponderUnderTest.Serial)));
    }

    [Fact]
    public async Task Answer_StatusThatNeverRests_IsTryLater()
    {
        ResponderUnderTest test = new();
        test.Source.AfterRead = () => test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        OcspReply reply = await test.AnswerAsync();
        Assert.Equal(OcspOutcome.Contended, reply.Outcome);
        Assert.Equal(OcspResponse.TryLater.Encoded, reply.Body);
    }

    [Fact]
    public async Task SourceDown_NothingCached_IsInternalError()
    {
        ResponderUnderTest test = new();
        test.Source.IsDown = true;
        Assert.Equal(OcspOutcome.Fault, (await test.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task SourceDown_RevokedMayOutliveItsHold_GoodMayNot()
    {
        ResponderUnderTest test = new();
        SerialNumber revoked = SerialNumber.ParseHex("5678");
        test.Source.Find = serial => (serial == revoked ? CertificateStatus.RevokedAt(s_revokedAt) : CertificateStatus.Good) with { HoldsFor = TimeSpan.FromSeconds(10) };
        await test.AnswerAsync();
        await test.AnswerAsync(ResponderUnderTest.Ask(revoked));

        test.Source.IsDown = true;
        Assert.Equal(CertStatus.Good, await test.StatusAsync());
        test.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(OcspOutcome.StatusUnavailable, (await test.AnswerAsync()).Outcome);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync(ResponderUnderTest.Ask(revoked)));

        test.Clock.Advance(IssuerPolicy.Default.Validity);
        Assert.Equal(OcspOutcome.StatusUnavailable, (await test.AnswerAsync(ResponderUnderTest.Ask(revoked))).Outcome);
    }

    [Fact]
    public async Task SignerDown_CachedAnswerGoesOn_UntilItsNextUpdate()
    {
        ResponderUnderTest test = new();
        OcspReply first = await test.AnswerAsync();
        test.Signer.IsDown = true;
        test.Clock.Advance(IssuerPolicy.Default.Validity * 0.9);
        Assert.Equal(first.Body, (await test.AnswerAsync()).Body);
        Assert.True(test.Signer.Signatures > 1, "The refresh was due and must have been tried.");

        test.Clock.Advance(IssuerPolicy.Default.Validity * 0.2);
        OcspReply late = await test.AnswerAsync();
        Assert.Equal(OcspOutcome.SignerFailing, late.Outcome);
        Assert.Equal(OcspResponse.TryLater.Encoded, late.Body);
    }

    [Fact]
    public async Task SignerDown_StatusChanged_OldAnswerIsNotGiven()
    {
        ResponderUnderTest test = new();
        await test.AnswerAsync();
        test.Signer.IsDown = true;
        test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt);
        Assert.Equal(OcspOutcome.SignerFailing, (await test.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task Signer_ThatSignsWrong_IsFoundBeforeAnybodyIsServed()
    {
        ResponderUnderTest test = new();
        test.Signer.IsWrong = true;
        Assert.Equal(OcspOutcome.SignerUnavailable, (await test.AnswerAsync()).Outcome);
        Assert.Equal(0, test.Cache.Count);
    }

    [Fact]
    public async Task Flood_OfNeverIssuedSerials_CostsNoSignatureAndNoMemory()
    {
        ResponderUnderTest test = new();
        test.Source.Find = _ => null;
        for (int i = 1; i <= 10_000; i++)
        {
            Assert.Equal(OcspOutcome.NeverIssued, (await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(i)))).Outcome);
        }

        Assert.Equal(0, test.Signer.Signatures);
        Assert.Equal(0, test.Cache.Count);
        Assert.Equal(0, test.Cache.Bytes);
    }

    [Theory]
    [InlineData(UnissuedAnswer.Unknown)]
    [InlineData(UnissuedAnswer.Revoked)]
    public async Task Flood_OfNeverIssuedSerials_WhereTheyAreSigned_IsBounded(UnissuedAnswer unissued)
    {
        ResponderUnderTest test = new(new IssuerPolicy { Unissued = unissued }, new OcspGatewayOptions { UnissuedSignaturesPerSecond = 50 });
        test.Source.Find = serial => serial == ResponderUnderTest.Serial ? CertificateStatus.Good : null;
        OcspReply[] replies = new OcspReply[200];
        for (int i = 0; i < replies.Length; i++)
        {
            replies[i] = await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(i + 1)));
        }

        Assert.Equal(50, replies.Count(reply => reply.Outcome == OcspOutcome.Answered));
        Assert.Equal(150, replies.Count(reply => reply.Outcome == OcspOutcome.BudgetSpent));
        Assert.Equal(0, test.Cache.Count);
        Assert.Equal(CertStatus.Good, await test.StatusAsync()); // what is issued is answered all the while

        test.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(1)))).Outcome);
    }

    [Fact]
    public async Task Flood_OfNonces_IsBounded_AndLeavesCachedAnswersAlone()
    {
        ResponderUnderTest test = new(options: new OcspGatewayOptions { NonceSignaturesPerSecond = 20 });
        List<OcspOutcome> outcomes = [];
        for (int i = 0; i < 100; i++)
        {
            outcomes.Add((await test.AnswerAsync(ResponderUnderTest.AskWithNonce(ResponderUnderTest.Serial))).Outcome);
        }

        Assert.Equal(20, outcomes.Count(outcome => outcome == OcspOutcome.Answered));
        Assert.Equal(80, outcomes.Count(outcome => outcome == OcspOutcome.BudgetSpent));
        Assert.Equal(0, test.Cache.Count);
        Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task Miss_ByManyAtOnce_IsSignedOnce()
    {
        ResponderUnderTest test = new();
        using Barrier start = new(8);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            async () =>
            {
                start.SignalAndWait();
                Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync()).Outcome);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));
        Assert.Equal(1, test.Signer.Signatures);
    }

    [Fact]
    public async Task Certificate_ThatEndsWhileItsAnswerIsCached_IsAnsweredByTheRuleOfTheTime()
    {
        ResponderUnderTest test = new(new IssuerPolicy { ExpiredRetention = TimeSpan.FromHours(2) });
        DateTimeOffset notAfter = test.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        test.Source.Find = _ => CertificateStatus.Good with { NotAfter = notAfter, HoldsFor = Timeout.InfiniteTimeSpan };
        Assert.Null(await ArchiveCutoffAsync());

        test.Clock.Advance(TimeSpan.FromMinutes(90));
        DateTimeOffset now = test.Clock.GetUtcNow();
        Assert.Equal(now.AddHours(-2), (await ArchiveCutoffAsync())!.Value, TimeSpan.FromSeconds(1));

        test.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(OcspOutcome.Expired, (await test.AnswerAsync()).Outcome);

        async Task<DateTimeOffset?> ArchiveCutoffAsync() =>
            ResponseExtensions.ReadArchiveCutoff(OcspResponse.Decode((await test.AnswerAsync()).Body).Basic!.Data.Responses[0].Extensions);
    }

    [Fact]
    public async Task Answer_Cancelled_Throws()
    {
        ResponderUnderTest test = new();
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        test.Source.AfterRead = cancelled.Token.ThrowIfCancellationRequested;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await test.Responder.AnswerAsync(ResponderUnderTest.Ask(ResponderUnderTest.Serial), cancelled.Token));
    }
}
