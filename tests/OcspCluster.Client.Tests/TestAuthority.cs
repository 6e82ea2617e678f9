using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>What a certificate of the tests has beside a name.</summary>
internal sealed record LeafProfile
{
    public string Name { get; init; } = "localhost";

    public Uri[] Responders { get; init; } = [];

    public Uri[] Issuers { get; init; } = [];

    public X509Extension[] Extensions { get; init; } = [];

    public DateTimeOffset NotBefore { get; init; } = TestAuthority.Now.AddYears(-1);

    public DateTimeOffset NotAfter { get; init; } = TestAuthority.Now.AddYears(1);

    public byte[]? Serial { get; init; }

    public bool IsCa { get; init; }

    public string? ExtendedKeyUsage { get; init; }
}

/// <summary>A CA of the tests that issues what a profile says and signs statuses. P-256, so that thousands cost little.</summary>
internal sealed class TestAuthority : IDisposable
{
    /// <summary>The tests' moment: the machine's, because TLS, OpenSSL and the others have no other clock.</summary>
    public static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private TestAuthority(ECDsa key, X509Certificate2 certificate)
    {
        Key = key;
        Certificate = certificate;
        Signer = OcspSigner.FromECDsa(key);
    }

    public ECDsa Key { get; }

    public X509Certificate2 Certificate { get; }

    public OcspSigner Signer { get; }

    public static TestAuthority CreateRoot(string name = "Test root")
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        LeafProfile profile = new() { IsCa = true, NotBefore = Now.AddYears(-5), NotAfter = Now.AddYears(5) };
        CertificateRequest request = Request(name, key, profile);
        return new TestAuthority(key, request.Create(request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), profile.NotBefore, profile.NotAfter, NewSerial()));
    }

    public TestAuthority IssueCa(string name, LeafProfile? profile = null)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new TestAuthority(key, Issue(key, (profile ?? new LeafProfile()) with { Name = name, IsCa = true }));
    }

    /// <summary>A certificate with its private key.</summary>
    public X509Certificate2 Issue(LeafProfile? profile = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Issue(key, profile ?? new LeafProfile());
        using X509Certificate2 joined = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), null);
    }

    public X509Certificate2 Issue(ECDsa key, LeafProfile profile)
    {
        CertificateRequest request = Request(profile.Name, key, profile);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(Key), profile.NotBefore, profile.NotAfter, profile.Serial ?? NewSerial());
    }

    /// <summary>A delegated responder's certificate, with its private key.</summary>
    public X509Certificate2 IssueResponder(bool hasNoCheck = true, LeafProfile? profile = null)
    {
        profile ??= new LeafProfile();
        X509Extension[] noCheck = hasNoCheck ? [new X509Extension(OcspOids.NoCheck, Der.Null, critical: false)] : [];
        return Issue(profile with { Name = "Responder", ExtendedKeyUsage = OcspOids.OcspSigning, Extensions = [.. profile.Extensions, .. noCheck] });
    }

    public static SingleResponse Answer(CertId asked, CertStatus status, TimeSpan? thisUpdate = null, TimeSpan? nextUpdate = null) =>
        new(asked, status, Now + (thisUpdate ?? TimeSpan.FromHours(-1)), Now + (nextUpdate ?? TimeSpan.FromDays(1)));

    /// <summary>A response by the CA's own key, or by a delegate's with its certificate.</summary>
    public byte[] Respond(SingleResponse answer, OcspNonce? nonce = null, X509Certificate2? responder = null)
    {
        OcspExtensionCollection? extensions = nonce is null ? null : new OcspExtensionCollection([nonce.ToExtension()]);
        ResponseData data = new(ResponderId.ByKey(responder ?? Certificate), Now.AddMinutes(-30), [answer], extensions);
        using OcspSigner? delegated = responder is null ? null : OcspSigner.FromCertificate(responder);
        ReadOnlyMemory<byte>[] certificates = responder is null ? [] : [responder.RawDataMemory];
        return OcspResponse.FromBasic(BasicOcspResponse.Sign(data, delegated ?? Signer, certificates)).Encoded.ToArray();
    }

    /// <summary>Answers a request with one status, and its nonce.</summary>
    public byte[] Respond(OcspRequest request, CertStatus status) => Respond(Answer(request.Requests[0].CertId, status), request.Nonce);

    public void Dispose()
    {
        Signer.Dispose();
        Certificate.Dispose();
    }

    private static byte[] NewSerial() => TestPki.RandomSerial();

    private static CertificateRequest Request(string name, ECDsa key, LeafProfile profile)
    {
        CertificateRequest request = new(new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(profile.IsCa, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            profile.IsCa ? X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (!profile.IsCa)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName(profile.Name.Replace(' ', '-'));
            request.CertificateExtensions.Add(names.Build());
        }

        if (profile.ExtendedKeyUsage is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(profile.ExtendedKeyUsage)], critical: false));
        }

        if (profile.Responders.Length + profile.Issuers.Length > 0)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(
                profile.Responders.Select(uri => uri.OriginalString), profile.Issuers.Select(uri => uri.OriginalString)));
        }

        foreach (X509Extension extension in profile.Extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        return request;
    }
}
