using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests.Signing;

public sealed class SignerQueueTests : IDisposable
{
    private static readonly TestCertificate s_responder = TestPki.CreateRoot("Queue CA", TestKey.P256()).Ca;

    private readonly TestClock _clock = new();
    private readonly List<IDisposable> _disposables = [];

    [Fact]
    public async Task Full_IsBusyAtOnce()
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { Concurrency = 1, MaxWaiting = 2 });
        signer.Gate.Reset();
        Task<SigningResult>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => RunAsync(queue, credential))];
        Assert.Equal(new SignerState(Running: 1, Waiting: 2, IsFailing: false), queue.State);

        Task<SigningResult> tooMany = RunAsync(queue, credential);
        Assert.True(tooMany.IsCompleted, "Who finds the queue full does not wait.");
        Assert.Equal(SigningFailure.Busy, (await tooMany).Failure);

        signer.Gate.Set();
        Assert.All(await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), result => Assert.Equal(SigningFailure.None, result.Failure));
        Assert.Equal(new SignerState(0, 0, false), queue.State);
    }

    [Fact]
    public async Task Remote_ThatHangs_IsLeftAtTheDeadline_AndKeepsItsSlot()
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { Concurrency = 1, Deadline = TimeSpan.FromSeconds(2) });
        signer.Gate.Reset();
        Task<SigningResult> hanging = RunAsync(queue, credential);
        Task<SigningResult> waiting = RunAsync(queue, credential);
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(hanging.IsCompleted || waiting.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(SigningFailure.Failing, (await hanging.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Failure);
        Assert.Equal(SigningFailure.Busy, (await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Failure);
        Assert.Equal(new SignerState(Running: 1, Waiting: 0, IsFailing: false), queue.State);

        Task<SigningResult> next = RunAsync(queue, credential);
        signer.Gate.Set();
        Assert.Equal(SigningFailure.None, (await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Failure);
        Assert.Equal(2, signer.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Failures_InARow_RestTheSigner_UntilAProbeSucceeds(bool isRemote)
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { FailuresToRest = 3, Rest = TimeSpan.FromSeconds(5) }, isRemote);
        signer.IsDown = true;
        for (int i = 0; i < 3; i++)
        {
            Assert.False(queue.State.IsFailing);
            SigningResult failed = await RunAsync(queue, credential);
            Assert.True(failed is { Failure: SigningFailure.Failing, IsNews: true } && failed.Reason.Contains("The HSM is away", StringComparison.Ordinal));
        }

        Assert.True(queue.State.IsFailing);
        Assert.True(await RunAsync(queue, credential) is { Failure: SigningFailure.Failing, IsNews: false });
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        await RunAsync(queue, credential);
        Assert.Equal(3, signer.Calls);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        await RunAsync(queue, credential); // the probe, which fails
        await RunAsync(queue, credential);
        Assert.Equal(4, signer.Calls);

        signer.IsDown = false;
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(queue.WouldTry);
        Assert.Equal(SigningFailure.None, (await RunAsync(queue, credential)).Failure);
        Assert.False(queue.State.IsFailing);
    }

    [Fact]
    public async Task Failures_WithASuccessBetween_DoNotRestTheSigner()
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { FailuresToRest = 2 });
        foreach (bool isDown in new[] { true, false, true, false, true })
        {
            signer.IsDown = isDown;
            Assert.Equal(isDown ? SigningFailure.Failing : SigningFailure.None, (await RunAsync(queue, credential)).Failure);
        }

        Assert.False(queue.State.IsFailing);
    }

    [Fact]
    public async Task Cancelled_WhileWaiting_LeavesTheQueue()
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { Concurrency = 1 });
        signer.Gate.Reset();
        Task<SigningResult> first = RunAsync(queue, credential);
        using CancellationTokenSource gone = new();
        Task<SigningResult> cancelled = RunAsync(queue, credential, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(0, queue.State.Waiting);
        signer.Gate.Set();
        Assert.Equal(SigningFailure.None, (await first).Failure);
        Assert.Equal(1, signer.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_AtOnce_AreNeverMoreThanTheBound_AndNoneIsLost(bool isRemote)
    {
        (SignerQueue queue, SigningCredential credential, StubSigner signer) = Make(new SignerLimits { Concurrency = 3, MaxWaiting = 10_000 }, isRemote);
        SigningResult[] results = await Task.WhenAll(Enumerable.Range(0, 2000).Select(_ => Task.Run(() => RunAsync(queue, credential)))).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.All(results, result => Assert.Equal(SigningFailure.None, result.Failure));
        Assert.Equal(2000, signer.Calls);
        Assert.InRange(signer.MostAtOnce, 1, 3);
        Assert.Equal(new SignerState(0, 0, false), queue.State);
    }

    [Theory]
    [InlineData(1.0, 1000)]
    [InlineData(0.25, 250)]
    [InlineData(0.001, 1)]
    [InlineData(0.0, 0)]
    public void Sample_IsThatPart_AndTheFirst(double sample, int expected)
    {
        (SignerQueue queue, _, _) = Make(SignerLimits.Default);
        bool[] isIn = [.. Enumerable.Range(0, 1000).Select(_ => queue.IsInSample(sample))];
        Assert.Equal(expected, isIn.Count(one => one));
        Assert.Equal(expected > 0, isIn[0]);
    }

    [Fact]
    public void Limits_OutOfBounds_AreAllNamed()
    {
        SignerLimits limits = new() { Concurrency = 257, MaxWaiting = -1, Deadline = TimeSpan.FromMinutes(2), FailuresToRest = 0, Rest = TimeSpan.Zero };
        Assert.Equal(["Concurrency", "MaxWaiting", "Deadline", "FailuresToRest", "Rest"], limits.FindErrors().Select(error => error.Split(' ')[0]));
        Assert.Empty(SignerLimits.Default.FindErrors());
    }

    public void Dispose() => _disposables.ForEach(disposable => disposable.Dispose());

    private static Task<SigningResult> RunAsync(SignerQueue queue, SigningCredential credential, CancellationToken cancellationToken = default) =>
        queue.RunAsync(
            credential,
            static credential =>
            {
                credential.Signer.Sign([1, 2, 3]);
                return SigningResult.Probed(credential);
            },
            cancellationToken).AsTask();

    private (SignerQueue Queue, SigningCredential Credential, StubSigner Signer) Make(SignerLimits limits, bool isRemote = true)
    {
        X509Certificate2 certificate = X509Certificate2.CreateFromPem(s_responder.Certificate.ExportCertificatePem(), s_responder.Key.ToPem());
        StubSigner signer = new(OcspSigner.FromCertificate(certificate), isRemote);
        SigningCredential credential = new(certificate, signer, limits: limits);
        SignerQueue queue = new(credential, _clock);
        _disposables.AddRange([queue, credential, certificate]);
        return (queue, credential, signer);
    }
}
