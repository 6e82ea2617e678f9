using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>CRLs where no responder answers: complete, partitioned, delta (RFC 5280 §5, §6.3.3).</summary>
public sealed class CrlTests : IAsyncLifetime
{
    private readonly TestAuthority _authority = TestAuthority.CreateRoot();
    private readonly Dictionary<string, Func<byte[]>> _files = [];
    private readonly LoopbackServer _server;
    private readonly X509Certificate2 _leaf;

    public CrlTests()
    {
        _server = new LoopbackServer(request => _files.TryGetValue(request.Target, out Func<byte[]>? file) ? LoopbackReply.Ok(file(), "application/pkix-crl") : LoopbackReply.Of(404));
        _leaf = _authority.Issue(new LeafProfile { Extensions = [CrlMaker.PointsExtension(Address("full"))] });
        Crl = new CrlMaker { Authority = _authority };
    }

    private CrlMaker Crl { get; }

    private byte[] Serial => _leaf.SerialNumberBytes.ToArray();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _leaf.Dispose();
        _authority.Dispose();
    }

    private Uri Address(string name) => new(_server.Uri, name);

    private void Serve(string name, CrlMaker crl) => _files["/" + name] = crl.Encode;

    private async Task<RevocationVerdict> CheckAsync(X509Certificate2? leaf = null, OcspClientOptions? options = null)
    {
        using OcspClient client = new(options ?? TestResponder.Options);
        return await client.CheckAsync(leaf ?? _leaf, _authority.Certificate);
    }

    [Fact]
    public async Task NotListed_IsGood()
    {
        Serve("full", Crl with { Entries = [new CrlEntry(TestPki.RandomSerial(), 1)] });

        RevocationVerdict verdict = await CheckAsync();

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.Equal(RevocationSource.Crl, verdict.Evidence!.Source);
        Assert.Equal(10, verdict.Evidence.CrlNumber);
        Assert.Equal(Address("full"), verdict.Evidence.Uri);
    }

    [Fact]
    public async Task Listed_IsRevokedSinceItsDateForItsReason()
    {
        DateTimeOffset at = new(2026, 4, 3, 2, 1, 0, TimeSpan.Zero);
        Serve("full", Crl with { Entries = [new CrlEntry(TestPki.RandomSerial()), new CrlEntry(Serial, 4, at)] });

        RevocationVerdict verdict = await CheckAsync();

        Assert.Equal((RevocationStatus.Revoked, at, RevocationReason.Superseded), (verdict.Status, verdict.RevocationTime!.Value, verdict.RevocationReason!.Value));
    }

    [Fact]
    public async Task ResponderThatFails_IsFollowedByTheCrl_AndTheOrderCanBeTurned()
    {
        Serve("full", Crl);
        await using LoopbackServer broken = new(_ => LoopbackReply.Of(500));
        using X509Certificate2 leaf = _authority.Issue(new LeafProfile { Responders = [broken.Uri], Extensions = [CrlMaker.PointsExtension(Address("full"))] });

        RevocationVerdict byDefault = await CheckAsync(leaf);
        int asked = broken.Requests.Count;
        RevocationVerdict turned = await CheckAsync(leaf, TestResponder.Options with { Sources = [RevocationSource.Crl, RevocationSource.Ocsp] });

        Assert.Equal([RevocationSource.Ocsp, RevocationSource.Crl], byDefault.Attempts.Select(attempt => attempt.Source));
        Assert.Equal((RevocationStatus.Good, RevocationStatus.Good), (byDefault.Status, turned.Status));
        Assert.Equal(asked, broken.Requests.Count);
    }

    public static TheoryData<string, RevocationFailure> Broken => new()
    {
        { "signed by another", RevocationFailure.AnswerForged },
        { "nextUpdate passed", RevocationFailure.AnswerRefused },
        { "no nextUpdate", RevocationFailure.AnswerRefused },
        { "thisUpdate tomorrow", RevocationFailure.AnswerRefused },
        { "a delta", RevocationFailure.AnswerRefused },
        { "unknown critical extension", RevocationFailure.AnswerRefused },
        { "attribute certificates", RevocationFailure.AnswerRefused },
        { "CAs", RevocationFailure.AnswerRefused },
        { "another point", RevocationFailure.AnswerRefused },
        { "a point by relative name", RevocationFailure.AnswerRefused },
        { "some reasons", RevocationFailure.AnswerRefused },
        { "indirect", RevocationFailure.AnswerRefused },
        { "not there", RevocationFailure.Unreachable },
        { "html", RevocationFailure.AnswerRefused },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Crl_ThatSaysNothingAboutTheCertificate_IsNotGood(string how, RevocationFailure failure)
    {
        using TestAuthority other = TestAuthority.CreateRoot();
        DateTimeOffset now = TestAuthority.Now;
        Serve("full", how switch
        {
            "signed by another" => Crl with { SignedBy = other },
            "nextUpdate passed" => Crl with { ThisUpdate = now.AddDays(-2), NextUpdate = now.AddDays(-1) },
            "no nextUpdate" => Crl with { NextUpdate = null },
            "thisUpdate tomorrow" => Crl with { ThisUpdate = now.AddDays(1), NextUpdate = now.AddDays(2) },
            "a delta" => Crl with { Base = 9 },
            "unknown critical extension" => Crl with { Extensions = [new RawExtension("1.2.3.4", Der.Null, Critical: true)] },
            "attribute certificates" => Crl with { Scope = Der.Implicit(5, 0xFF) },
            "CAs" => Crl with { Scope = Der.Implicit(2, 0xFF) },
            "another point" => Crl with { Scope = CrlMaker.FullName(Address("other")) },
            "a point by relative name" => Crl with { Scope = Der.Explicit(0, Der.Explicit(1, Der.Sequence(Der.Oid("2.5.4.3"), Der.Text(0x0C, "part")))) },
            "some reasons" => Crl with { Scope = Der.Tlv(0x83, [0x06, 0x40]) },
            "indirect" => Crl with { Scope = Der.Implicit(4, 0xFF) },
            _ => Crl,
        });
        switch (how)
        {
            case "not there":
                _files.Clear();
                break;
            case "html":
                _files["/full"] = () => "<html>"u8.ToArray();
                break;
        }

        RevocationVerdict verdict = await CheckAsync();

        Assert.Equal((RevocationStatus.CouldNotTell, failure), (verdict.Status, verdict.Failure));
    }

    [Fact]
    public async Task Partition_OfTheCertificatesPoint_Counts()
    {
        Serve("full", Crl with { Scope = [.. CrlMaker.FullName(Address("full")), .. Der.Implicit(1, 0xFF)], Entries = [new CrlEntry(Serial, 1)] });

        Assert.Equal(RevocationStatus.Revoked, (await CheckAsync()).Status);
    }

    [Fact]
    public async Task TwoCrls_ThatTogetherCoverAllReasons_AreGood()
    {
        // keyCompromise and cACompromise in one, the rest in the other: both points by reasons, both CRLs by onlySomeReasons
        byte[] compromise = [0x05, 0x60];
        byte[] rest = [0x07, 0x1F, 0x80];
        Serve("a", Crl with { Scope = [.. CrlMaker.FullName(Address("a")), .. Der.Tlv(0x83, compromise)] });
        Serve("b", Crl with { Scope = [.. CrlMaker.FullName(Address("b")), .. Der.Tlv(0x83, rest)] });
        byte[] points = Der.Sequence(
            Der.Sequence(CrlMaker.FullName(Address("a")), Der.Tlv(0x81, compromise)),
            Der.Sequence(CrlMaker.FullName(Address("b")), Der.Tlv(0x81, rest)));
        using X509Certificate2 leaf = _authority.Issue(new LeafProfile { Extensions = [new X509Extension("2.5.29.31", points, critical: false)] });

        RevocationVerdict both = await CheckAsync(leaf);
        _files.Remove("/b");
        RevocationVerdict one = await CheckAsync(leaf);

        Assert.Equal(RevocationStatus.Good, both.Status);
        Assert.Equal(RevocationStatus.CouldNotTell, one.Status);
    }

    public static TheoryData<string, RevocationStatus, int> Deltas => new()
    {
        { "revokes", RevocationStatus.Revoked, 12 },
        { "releases", RevocationStatus.Good, 12 },
        { "says nothing", RevocationStatus.Revoked, 12 },
        { "continues a later one", RevocationStatus.Revoked, 10 },
        { "is older", RevocationStatus.Revoked, 10 },
        { "has another scope", RevocationStatus.Revoked, 10 },
        { "is signed by another", RevocationStatus.Revoked, 10 },
        { "is complete", RevocationStatus.Revoked, 10 },
    };

    [Theory]
    [MemberData(nameof(Deltas))]
    public async Task Delta_CountsWhenItContinuesTheCompleteOne(string how, RevocationStatus status, int number)
    {
        using TestAuthority other = TestAuthority.CreateRoot();
        bool isListed = how != "revokes";
        Serve("full", Crl with { Freshest = [Address("delta")], Entries = isListed ? [new CrlEntry(Serial, 6)] : [] });
        CrlMaker delta = Crl with { Number = 12, Base = 9, Entries = [new CrlEntry(Serial, 8)] };
        Serve("delta", how switch
        {
            "revokes" => delta with { Entries = [new CrlEntry(Serial, 1)] },
            "says nothing" => delta with { Entries = [] },
            "continues a later one" => delta with { Base = 11 },
            "is older" => delta with { Number = 8, Base = 5 },
            "has another scope" => delta with { Scope = Der.Implicit(1, 0xFF) },
            "is signed by another" => delta with { SignedBy = other },
            "is complete" => delta with { Base = null, Entries = [] },
            _ => delta,
        });

        RevocationVerdict verdict = await CheckAsync();

        Assert.Equal(status, verdict.Status);
        Assert.Equal(number, verdict.Evidence!.CrlNumber);
        Assert.Equal(number == 12, !verdict.Evidence.DeltaCrl.IsEmpty);
    }

    [Fact]
    public async Task OlderCrl_NeverReplacesAKnownOne()
    {
        OcspClientOptions options = TestResponder.Options with { Store = new MemoryResponseStore(), Verification = new OcspVerificationOptions { Clock = new TestClock(TestAuthority.Now) } };
        _files["/full"] = () => (_server.Requests.Count == 1 ? Crl with { Number = 12, Entries = [new CrlEntry(Serial, 1)] } : Crl with { Number = 11 }).Encode();
        RevocationVerdict first = await CheckAsync(options: options);
        RevocationVerdict fromStore = await CheckAsync(options: options);
        Assert.Single(_server.Requests); // fresh until nextUpdate

        ((TestClock)options.Verification.Clock).SetUtcNow(TestAuthority.Now.AddDays(1).AddMinutes(2)); // past nextUpdate, within the tolerance
        RevocationVerdict later = await CheckAsync(options: options);

        Assert.Equal([RevocationStatus.Revoked, RevocationStatus.Revoked, RevocationStatus.Revoked], [first.Status, fromStore.Status, later.Status]);
        Assert.Contains(later.Attempts, attempt => attempt.Message.Contains("older than one that is known", StringComparison.Ordinal));
    }

    [Fact]
    public async Task GivenCrl_IsFetchedInsteadOfTheCertificates()
    {
        Serve("mirror", Crl with { Entries = [new CrlEntry(Serial, 1)] });

        RevocationVerdict verdict = await CheckAsync(options: TestResponder.Options with { PrivateAddresses = PrivateAddressRule.AllowGiven, Crls = [Address("mirror")] });

        Assert.Equal(RevocationStatus.Revoked, verdict.Status);
    }

    [Theory]
    [InlineData(false, RevocationStatus.Good)]
    [InlineData(true, RevocationStatus.CouldNotTell)]
    public async Task DelegateWithoutNoCheck_IsLookedUpInItsCrl(bool isRevoked, RevocationStatus status)
    {
        using X509Certificate2 responder = _authority.IssueResponder(hasNoCheck: false, new LeafProfile { Extensions = [CrlMaker.PointsExtension(Address("delegates"))] });
        Serve("delegates", Crl with { Entries = isRevoked ? [new CrlEntry(responder.SerialNumberBytes.ToArray(), 1)] : [] });
        await using LoopbackServer server = new(request =>
            LoopbackReply.Ok(_authority.Respond(TestAuthority.Answer(OcspRequest.Decode(TestResponder.RequestIn(request)).Requests[0].CertId, CertStatus.Good), nonce: null, responder)));
        using X509Certificate2 leaf = _authority.Issue(new LeafProfile { Responders = [server.Uri] });

        RevocationVerdict verdict = await CheckAsync(leaf);

        Assert.Equal(status, verdict.Status);
        Assert.Equal(isRevoked, verdict.Attempts.Any(attempt => attempt.Outcome == OcspVerificationOutcome.ResponderRevoked));
        Assert.Equal(isRevoked ? RevocationFailure.AnswerForged : RevocationFailure.None, verdict.Failure);
    }
}
