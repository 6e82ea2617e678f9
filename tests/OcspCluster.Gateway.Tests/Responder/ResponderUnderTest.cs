using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>A responder of issuer Alpha over a status source and a signer that tests can break.</summary>
internal sealed class ResponderUnderTest
{
    public ResponderUnderTest(
        IssuerPolicy? policy = null, OcspGatewayOptions? options = null, IReadOnlyList<TestCertificate>? others = null, SignerLimits? limits = null, bool isRemote = false,
        IResponseStore? kept = null, TestClock? clock = null)
    {
        Clock = clock ?? new TestClock();
        options ??= new OcspGatewayOptions();
        SigningCredential[] credentials = [.. new[] { Issuers.Alpha.Responder }.Concat(others ?? []).Select(responder =>
        {
            X509Certificate2 withKey = X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem());
            return new SigningCredential(withKey, new TestSigner(OcspSigner.FromCertificate(withKey), isRemote), limits: limits);
        })];
        Signers = [.. credentials.Select(credential => (TestSigner)credential.Signer)];
        Guard = new ClockGuard(Clock);
        Issuer = new Issuer(Id, Issuers.Alpha.Certificates, credentials, policy);
        Cache = new ResponseCache(options.CacheBytes);
        IssuerDirectory directory = new([Issuer]);
        ResponseFactory factory = new(Clock, Guard);
        Kept = kept is null ? null : new KeptResponses(kept, directory, Cache, factory, Clock, NullLogger<KeptResponses>.Instance);
        Responder = new OcspResponder(directory, Source, factory, Cache, options, Clock, NullLogger<OcspResponder>.Instance, Kept);
    }

    public static IssuerId Id { get; } = new("alpha");

    public static SerialNumber Serial { get; } = SerialNumber.ParseHex("1234");

    public TestClock Clock { get; }

    public KeptResponses? Kept { get; }

    public TestSource Source { get; } = new();

    public TestSigner Signer => Signers[0];

    /// <summary>Alpha's own responder's, and the others' in their order.</summary>
    public IReadOnlyList<TestSigner> Signers { get; }

    public ClockGuard Guard { get; }

    public Issuer Issuer { get; }

    public ResponseCache Cache { get; }

    public OcspResponder Responder { get; }

    public static byte[] Ask(SerialNumber serial) => new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, serial)).Build().Encoded.ToArray();

    public static byte[] AskWithNonce(SerialNumber serial) => new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, serial)).AddNonce().Build().Encoded.ToArray();

    public static byte[] AskPreferring(params IEnumerable<string> signatureOids) =>
        new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, Serial)).AddExtension(Preferring(signatureOids)).Build().Encoded.ToArray();

    public static OcspExtension Preferring(params IEnumerable<string> signatureOids) =>
        PreferredSignatureAlgorithm.CreateExtension(signatureOids.Select(oid => new PreferredSignatureAlgorithm(new AlgorithmIdentifier(oid))));

    public async Task<OcspReply> AnswerAsync(byte[]? request = null) => await Responder.AnswerAsync(request ?? Ask(Serial), CancellationToken.None);

    public async Task<CertStatus> StatusAsync(byte[]? request = null) => OcspResponse.Decode((await AnswerAsync(request)).Body).Basic!.Data.Responses[0].Status;
}

/// <summary>A status source that counts, fails and runs code before it answers, as a test likes.</summary>
internal sealed class TestSource : ICertificateStatusSource
{
    private int _asked;

    public Func<SerialNumber, CertificateStatus?> Find { get; set; } = _ => CertificateStatus.Good;

    /// <summary>Runs after the status is read and before it is returned.</summary>
    public Action? AfterRead { get; set; }

    public bool IsDown { get; set; }

    public int Asked => _asked;

    public ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        if (IsDown)
        {
            throw new IOException("The database is away.");
        }

        CertificateStatus? status = Find(serial);
        AfterRead?.Invoke();
        return ValueTask.FromResult(status);
    }
}

/// <summary>A signer that counts and fails as a test likes.</summary>
internal sealed class TestSigner(OcspSigner inner, bool isRemote = false) : OcspSigner
{
    private int _signatures;

    /// <summary>Signatures wait until it is set.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    public override bool IsRemote => isRemote;

    public bool IsDown { get; set; }

    /// <summary>Whether it makes signatures that do not verify.</summary>
    public bool IsWrong { get; set; }

    public int Signatures => Volatile.Read(ref _signatures);

    public override AlgorithmIdentifier Algorithm => inner.Algorithm;

    public override byte[] Sign(ReadOnlySpan<byte> data)
    {
        Interlocked.Increment(ref _signatures);
        Assert.True(Gate.Wait(TimeSpan.FromSeconds(30)), "A test left the signer hanging.");
        return IsDown ? throw new CryptographicException("The HSM is away.") : inner.Sign(IsWrong ? data[1..] : data);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            inner.Dispose();
            Gate.Dispose();
        }
    }
}
