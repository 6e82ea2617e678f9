using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

/// <summary>An HSM that takes its time, or never answers: what goes on meanwhile.</summary>
public sealed class SlowSignerTests
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Revoked_WhileItIsSigned_IsNotTheOldStatus_AndForgetDoesNotWait()
    {
        ResponderUnderTest test = Start();
        test.Signer.Gate.Reset();
        Task<OcspReply> asked = test.AnswerAsync();
        test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt) with { HoldsFor = Timeout.InfiniteTimeSpan };
        await Task.Run(() => test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial)).WaitAsync(s_bound, TestContext.Current.CancellationToken);
        Assert.False(asked.IsCompleted, "It was answered while its signer hung.");

        test.Signer.Gate.Set();
        OcspReply reply = await asked.WaitAsync(s_bound, TestContext.Current.CancellationToken);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync());
        Assert.Equal(2, test.Signer.Signatures);
    }

    [Fact]
    public async Task Miss_ByManyWhileItIsSigned_IsSignedOnce()
    {
        ResponderUnderTest test = Start();
        test.Signer.Gate.Reset();
        Task<OcspReply>[] asked = [.. Enumerable.Range(0, 100).Select(_ => test.AnswerAsync())];
        Assert.DoesNotContain(asked, one => one.IsCompleted);
        test.Signer.Gate.Set();
        Assert.Single((await Task.WhenAll(asked).WaitAsync(s_bound, TestContext.Current.CancellationToken)).Select(reply => Convert.ToHexString(reply.Body.Span)).Distinct());
        Assert.Equal(1, test.Signer.Signatures);
    }

    // A source without announcements is asked each time: who has read the newer status does not take the older answer, although nothing was forgotten.
    [Fact]
    public async Task Miss_ByOneWhoReadANewerStatus_IsNotAnsweredWithTheOlder()
    {
        ResponderUnderTest test = Start();
        test.Source.Find = _ => CertificateStatus.Good;
        test.Signer.Gate.Reset();
        Task<OcspReply> before = test.AnswerAsync();
        test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt);
        Task<OcspReply> after = test.AnswerAsync();
        test.Signer.Gate.Set();
        await before.WaitAsync(s_bound, TestContext.Current.CancellationToken);
        OcspReply reply = await after.WaitAsync(s_bound, TestContext.Current.CancellationToken);
        Assert.Equal(CertStatus.Revoked(s_revokedAt), OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status);
    }

    [Fact]
    public async Task Cancelled_ByTheFirst_OthersAreAnswered()
    {
        ResponderUnderTest test = Start();
        test.Signer.Gate.Reset();
        using CancellationTokenSource gone = new();
        Task<OcspReply> first = test.Responder.AnswerAsync(ResponderUnderTest.Ask(ResponderUnderTest.Serial), gone.Token).AsTask();
        Task<OcspReply> second = test.AnswerAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        test.Signer.Gate.Set();
        Assert.Equal(OcspOutcome.Answered, (await second.WaitAsync(s_bound, TestContext.Current.CancellationToken)).Outcome);
        Assert.Equal(1, test.Signer.Signatures);
    }

    [Fact]
    public async Task Refresh_ThatHangs_HoldsUpNobody()
    {
        ResponderUnderTest test = Start();
        OcspReply old = await test.AnswerAsync();
        test.Signer.Gate.Reset();
        test.Clock.Advance(IssuerPolicy.Default.Validity * 0.6);
        for (int i = 0; i < 10; i++)
        {
            Task<OcspReply> asked = test.AnswerAsync();
            Assert.True(asked.IsCompleted, "An answer that is right was at hand.");
            Assert.Equal(old.Body, (await asked).Body);
        }

        test.Signer.Gate.Set();
        using CancellationTokenSource late = new(s_bound);
        while ((await test.AnswerAsync()).Body.Span.SequenceEqual(old.Body.Span))
        {
            Assert.False(late.IsCancellationRequested, "The refresh never reached the cache.");
            await Task.Yield();
        }

        Assert.Equal(2, test.Signer.Signatures);
    }

    [Fact]
    public async Task Signer_ThatHangs_IsTryLaterAtItsDeadline_AndCachedAnswersGoOn()
    {
        ResponderUnderTest test = Start();
        OcspReply cached = await test.AnswerAsync();
        test.Signer.Gate.Reset();
        Task<OcspReply> missed = test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(77)));
        Assert.Equal(cached.Body, (await test.AnswerAsync()).Body);

        test.Clock.Advance(SignerLimits.Default.Deadline);
        OcspReply late = await missed.WaitAsync(s_bound, TestContext.Current.CancellationToken);
        Assert.Equal(OcspOutcome.SignerFailing, late.Outcome);
        Assert.Equal(OcspResponse.TryLater.Encoded, late.Body);
        test.Signer.Gate.Set();
    }

    [Fact]
    public async Task Queue_Full_IsTryLater_AndCachedAnswersGoOn()
    {
        ResponderUnderTest test = Start(new SignerLimits { Concurrency = 1, MaxWaiting = 1 });
        OcspReply cached = await test.AnswerAsync();
        test.Signer.Gate.Reset();
        Task<OcspReply>[] patient = [.. Enumerable.Range(1, 2).Select(number => test.AnswerAsync(ResponderUnderTest.Ask(SerialNumber.FromInteger(number))))];
        foreach (byte[] request in new[] { ResponderUnderTest.Ask(SerialNumber.FromInteger(3)), ResponderUnderTest.AskWithNonce(ResponderUnderTest.Serial) })
        {
            OcspReply refused = await test.AnswerAsync(request);
            Assert.Equal(OcspOutcome.SignerBusy, refused.Outcome);
            Assert.Equal(OcspResponse.TryLater.Encoded, refused.Body);
        }

        Assert.Equal(cached.Body, (await test.AnswerAsync()).Body);
        test.Signer.Gate.Set();
        Assert.All(await Task.WhenAll(patient).WaitAsync(s_bound, TestContext.Current.CancellationToken), reply => Assert.Equal(OcspOutcome.Answered, reply.Outcome));
    }

    private static ResponderUnderTest Start(SignerLimits? limits = null)
    {
        ResponderUnderTest test = new(limits: limits, isRemote: true);
        test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        return test;
    }
}
