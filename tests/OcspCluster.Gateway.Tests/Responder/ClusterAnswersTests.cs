using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>A responder whose statuses and answers are kept elsewhere, under a lease that may end.</summary>
public sealed class ClusterAnswersTests
{
    private static readonly SerialNumber s_serial = ResponderUnderTest.Serial;

    [Fact]
    public async Task Good_Cached_IsGivenUnderTheLeaseWithoutAsking()
    {
        Elsewhere elsewhere = new();
        await elsewhere.AnswerAsync();
        await elsewhere.AnswerAsync();
        Assert.Equal(1, elsewhere.Asked);
    }

    [Fact]
    public async Task Good_CachedWithoutLease_IsGivenOnlyAfterAskingAndIsTheSameBytes()
    {
        Elsewhere elsewhere = new();
        OcspReply first = await elsewhere.AnswerAsync();
        elsewhere.IsLeased = false;

        Assert.Equal(first.Body, (await elsewhere.AnswerAsync()).Body);
        Assert.Equal(2, elsewhere.Asked);

        elsewhere.Status = null;
        Assert.Equal(OcspOutcome.StatusUnavailable, (await elsewhere.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task Good_CachedWithoutLease_IsGivenWhereThePolicySaysSo()
    {
        Elsewhere elsewhere = new(new IssuerPolicy { WithoutLease = WithoutLease.ServeUntilNextUpdate });
        await elsewhere.AnswerAsync();
        elsewhere.IsLeased = false;
        elsewhere.Status = null;

        Assert.Equal(OcspOutcome.Answered, (await elsewhere.AnswerAsync()).Outcome);
        Assert.Equal(1, elsewhere.Asked);
    }

    [Fact]
    public async Task Revoked_CachedWithoutLease_IsGiven()
    {
        Elsewhere elsewhere = new() { Status = CertificateStatus.RevokedAt(DateTimeOffset.UnixEpoch) };
        await elsewhere.AnswerAsync();
        elsewhere.IsLeased = false;
        elsewhere.Status = null;

        Assert.Equal(OcspOutcome.Answered, (await elsewhere.AnswerAsync()).Outcome);
        Assert.Equal(1, elsewhere.Asked);
    }

    [Fact]
    public async Task Held_CachedWithoutLease_IsNotGiven()
    {
        Elsewhere elsewhere = new() { Status = CertificateStatus.HeldAt(DateTimeOffset.UnixEpoch) };
        await elsewhere.AnswerAsync();
        elsewhere.IsLeased = false;
        elsewhere.Status = null;

        Assert.Equal(OcspOutcome.StatusUnavailable, (await elsewhere.AnswerAsync()).Outcome); // it may have been released
    }

    [Fact]
    public async Task StatusUnknowable_NothingCached_IsTryLater()
    {
        Elsewhere elsewhere = new() { Status = null };
        Assert.Equal(OcspOutcome.StatusUnavailable, (await elsewhere.AnswerAsync()).Outcome);
    }

    [Fact]
    public async Task WithNonce_WhereOthersSign_GoesToThem()
    {
        Elsewhere elsewhere = new() { SignsElsewhere = true };
        Assert.Equal(OcspOutcome.SignerBusy, (await elsewhere.AnswerAsync(ResponderUnderTest.AskWithNonce(s_serial))).Outcome);
        Assert.Equal((1, 0), (elsewhere.Forwarded, elsewhere.Asked));
    }

    [Fact]
    public async Task MadeDue_Cached_AsksForANewerOne()
    {
        Elsewhere elsewhere = new();
        OcspReply first = await elsewhere.AnswerAsync();
        elsewhere.Cache.Find(ResponderUnderTest.Id, s_serial)[0].IsMadeDue = true;
        await elsewhere.AnswerAsync();

        Assert.Equal(first.Response!.ProducedAt, elsewhere.NewerThan);
    }

    private sealed class Elsewhere : ICertificateAnswers
    {
        private readonly OcspResponder _responder;

        public Elsewhere(IssuerPolicy? policy = null)
        {
            TestCertificate alpha = Issuers.Alpha.Responder;
            X509Certificate2 withKey = X509Certificate2.CreateFromPem(alpha.Certificate.ExportCertificatePem(), alpha.Key.ToPem());
            Issuer issuer = new(ResponderUnderTest.Id, Issuers.Alpha.Certificates, [new SigningCredential(withKey)], policy);
            TestClock clock = new();
            _responder = new OcspResponder(new IssuerDirectory([issuer]), this, new ResponseFactory(clock), Cache, new OcspGatewayOptions(), clock, NullLogger<OcspResponder>.Instance);
        }

        public ResponseCache Cache { get; } = new(1 << 20);

        public bool IsLeased { get; set; } = true;

        /// <summary>Null: nobody can tell.</summary>
        public CertificateStatus? Status { get; set; } = CertificateStatus.Good;

        public bool SignsElsewhere { get; init; }

        public int Asked { get; private set; }

        public int Forwarded { get; private set; }

        public DateTimeOffset? NewerThan { get; private set; }

        public TimeSpan AbsenceHoldsFor => Timeout.InfiniteTimeSpan;

        public Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<OcspReply>>? AnswerElsewhere => SignsElsewhere ? Forward : null;

        public bool HasLease(IssuerId issuer) => IsLeased;

        public ValueTask<CertificateFinding> FindAsync(NamedIssuer issuer, CertId certId, SigningCredential? preferred, DateTimeOffset? newerThan, CancellationToken cancellationToken)
        {
            Asked++;
            NewerThan = newerThan;
            return Status is null
                ? throw new StatusUnavailableException("Nobody can tell.", new TimeoutException())
                : ValueTask.FromResult(new CertificateFinding(Status with { HoldsFor = Timeout.InfiniteTimeSpan }));
        }

        public ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async Task<OcspReply> AnswerAsync(byte[]? request = null) => await _responder.AnswerAsync(request ?? ResponderUnderTest.Ask(s_serial), CancellationToken.None);

        private ValueTask<OcspReply> Forward(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
        {
            Forwarded++;
            return ValueTask.FromResult(OcspReply.Error(OcspOutcome.SignerBusy));
        }
    }
}
