using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>How the certificate of a delegated responder differs from a perfect one.</summary>
internal sealed record DelegateProfile
{
    public string Name { get; init; } = "CN=Responder";

    public TimeSpan NotBefore { get; init; } = TimeSpan.FromDays(-30);

    public TimeSpan NotAfter { get; init; } = TimeSpan.FromDays(30);

    public string[] ExtendedKeyUsages { get; init; } = ["1.3.6.1.5.5.7.3.9"];

    public X509KeyUsageFlags? KeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    public bool HasNoCheck { get; init; } = true;

    public X509Extension[] OtherExtensions { get; init; } = [];
}

/// <summary>A CA of the tests and what it issues; everything is around one moment.</summary>
internal sealed class TestCa
{
    public static readonly DateTimeOffset Now = new(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);

    public TestCa(string name = "CN=Test CA", TestKey? key = null)
    {
        Key = key ?? TestKey.P256();
        CertificateRequest request = new(new X500DistinguishedName(name), Key.Public, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        Certificate = Create(request, Now.AddYears(-1), Now.AddYears(1));
    }

    public TestKey Key { get; }

    public X509Certificate2 Certificate { get; }

    /// <summary>The certificate asked about.</summary>
    public CertId Asked => CertId.Create(Certificate, SerialNumber.FromInteger(4711));

    public X509Certificate2 IssueDelegate(TestKey key, DelegateProfile? profile = null)
    {
        profile ??= new DelegateProfile();
        CertificateRequest request = new(new X500DistinguishedName(profile.Name), key.Public, HashAlgorithmName.SHA256);
        if (profile.ExtendedKeyUsages.Length > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. profile.ExtendedKeyUsages.Select(oid => new Oid(oid))], false));
        }

        if (profile.KeyUsage is X509KeyUsageFlags usage)
        {
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        }

        if (profile.HasNoCheck)
        {
            request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.48.1.5", [0x05, 0x00], false));
        }

        foreach (X509Extension extension in profile.OtherExtensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        return Create(request, Now + profile.NotBefore, Now + profile.NotAfter);
    }

    public X509Certificate2 Create(CertificateRequest request, DateTimeOffset notBefore, DateTimeOffset notAfter) =>
        request.Create(Certificate?.SubjectName ?? request.SubjectName, new SignerGenerator(Key), notBefore, notAfter, RandomNumberGenerator.GetBytes(8));

    /// <summary>A good answer for <see cref="Asked"/> from an hour ago until tomorrow.</summary>
    public SingleResponse Good(OcspExtensionCollection? extensions = null) => Answer(CertStatus.Good, extensions: extensions);

    public SingleResponse Answer(CertStatus status, TimeSpan? thisUpdate = null, TimeSpan? nextUpdate = null, OcspExtensionCollection? extensions = null) =>
        new(Asked, status, Now + (thisUpdate ?? TimeSpan.FromHours(-1)), Now + (nextUpdate ?? TimeSpan.FromDays(1)), extensions);

    public SingleResponse AnswerWithoutNextUpdate(TimeSpan thisUpdate) => new(Asked, CertStatus.Good, Now + thisUpdate);
}

/// <summary>Responses and their verification at one moment.</summary>
internal static class Exchange
{
    public static OcspVerificationOptions Options { get; } = new() { Clock = new TestClock(TestCa.Now) };

    /// <summary>A response of the CA itself, by its key.</summary>
    public static OcspResponse Respond(this TestCa ca, params SingleResponse[] answers) => Respond(ca.Key, ResponderId.ByKey(ca.Certificate), answers, []);

    /// <summary>A response of a delegated responder, by its key, with its certificate.</summary>
    public static OcspResponse Respond(this TestCa ca, TestKey key, X509Certificate2 responder, params SingleResponse[] answers) =>
        Respond(key, ResponderId.ByKey(responder), answers.Length > 0 ? answers : [ca.Good()], [responder.RawData]);

    public static OcspResponse Respond(
        TestKey key,
        ResponderId responderId,
        SingleResponse[] answers,
        byte[][] certificates,
        OcspExtensionCollection? extensions = null,
        TimeSpan? producedAt = null)
    {
        ResponseData data = new(responderId, TestCa.Now + (producedAt ?? TimeSpan.FromHours(-1)), answers, extensions);
        return OcspResponse.FromBasic(BasicOcspResponse.Sign(data, key.Signer, certificates.Select(certificate => new ReadOnlyMemory<byte>(certificate))));
    }

    /// <summary>Verifies what went over the wire, not the object that was written.</summary>
    public static OcspVerificationResult Verify(this TestCa ca, OcspResponse response, OcspVerificationOptions? options = null) =>
        OcspVerifier.Verify(response.Encoded, ca.Asked, ca.Certificate, options ?? Options);
}
