using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>What a delegated responder's certificate has, and what it lacks.</summary>
public sealed record ResponderProfile
{
    public bool HasOcspSigning { get; init; } = true;

    public bool HasNoCheck { get; init; } = true;

    public DateTimeOffset NotBefore { get; init; } = TestPki.NotBefore;

    public DateTimeOffset NotAfter { get; init; } = TestPki.NotAfter;
}

/// <summary>
/// A certification authority of a test. The same class makes the sound ones and the odd ones: rekeyed (same name, new key), renamed
/// (same key, new name), cross-certified, and delegates that break one rule each.
/// </summary>
public sealed class TestPki
{
    /// <summary>Certificates are valid from here unless told: long before the tests' clock and the machine's.</summary>
    public static readonly DateTimeOffset NotBefore = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Certificates are valid to here unless told.</summary>
    public static readonly DateTimeOffset NotAfter = new(2049, 6, 30, 23, 59, 59, TimeSpan.Zero);

    private TestPki(TestCertificate ca) => Ca = ca;

    /// <summary>The CA's certificate and key.</summary>
    public TestCertificate Ca { get; }

    /// <summary>The CA's certificate.</summary>
    public X509Certificate2 Certificate => Ca.Certificate;

    /// <summary>A self-signed CA.</summary>
    public static TestPki CreateRoot(string commonName, TestKey key)
    {
        X500DistinguishedName name = Name(commonName);
        return new TestPki(new TestCertificate(Create(CaRequest(name, key), name, key, RandomSerial(), NotBefore, NotAfter), key));
    }

    /// <summary>A CA certified by this one.</summary>
    public TestPki IssueCa(string commonName, TestKey key) =>
        new(new TestCertificate(Create(CaRequest(Name(commonName), key), Certificate.SubjectName, Ca.Key, RandomSerial(), NotBefore, NotAfter), key));

    /// <summary>This CA's name over another key, self-signed.</summary>
    public TestPki Rekeyed(TestKey key) =>
        new(new TestCertificate(Create(CaRequest(Certificate.SubjectName, key), Certificate.SubjectName, key, RandomSerial(), NotBefore, NotAfter), key));

    /// <summary>This CA's key under another name, self-signed.</summary>
    public TestPki Renamed(string commonName) => CreateRoot(commonName, Ca.Key);

    /// <summary>Another certificate of that CA's name and key, signed by this one.</summary>
    public X509Certificate2 CrossCertify(TestPki other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Create(CaRequest(other.Certificate.SubjectName, other.Ca.Key), Certificate.SubjectName, Ca.Key, RandomSerial(), NotBefore, NotAfter);
    }

    /// <summary>A delegated responder's certificate (RFC 6960 §4.2.2.2), or one that lacks what the profile says.</summary>
    public TestCertificate IssueResponder(string commonName, TestKey key, ResponderProfile? profile = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new TestCertificate(IssueResponder(commonName, key.PublicKey, profile), key);
    }

    /// <summary>The same for a key whose private half is elsewhere.</summary>
    public X509Certificate2 IssueResponder(string commonName, PublicKey key, ResponderProfile? profile = null)
    {
        profile ??= new ResponderProfile();
        CertificateRequest request = new(Name(commonName), key, Ca.Key.Hash);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(profile.HasOcspSigning ? OcspOids.OcspSigning : "1.3.6.1.5.5.7.3.2")], critical: false));
        if (profile.HasNoCheck)
        {
            request.CertificateExtensions.Add(new X509Extension(OcspOids.NoCheck, Der.Null, critical: false));
        }

        AddKeyIdentifiers(request);
        return Create(request, Certificate.SubjectName, Ca.Key, RandomSerial(), profile.NotBefore, profile.NotAfter);
    }

    /// <summary>An end-entity certificate whose serial number has exactly these content octets, of any length and sign.</summary>
    public TestCertificate IssueLeaf(byte[] serial, string commonName = "localhost", Uri? ocsp = null, DateTimeOffset? notAfter = null, TestKey? key = null)
    {
        key ??= TestKey.P256();
        CertificateRequest request = new(Name(commonName), key.PublicKey, Ca.Key.Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        if (ocsp is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([ocsp.AbsoluteUri], []));
        }

        AddKeyIdentifiers(request);
        return new TestCertificate(Create(request, Certificate.SubjectName, Ca.Key, serial, NotBefore, notAfter ?? NotAfter), key);
    }

    /// <summary>The content octets of a positive serial number of 16 random octets.</summary>
    public static byte[] RandomSerial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static X500DistinguishedName Name(string commonName)
    {
        X500DistinguishedNameBuilder builder = new();
        builder.AddOrganizationName("OcspCluster tests");
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    private static CertificateRequest CaRequest(X500DistinguishedName name, TestKey key)
    {
        CertificateRequest request = new(name, key.PublicKey, key.Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private void AddKeyIdentifiers(CertificateRequest request)
    {
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
    }

    // CertificateRequest takes serial numbers as unsigned only. The field has negative ones: put the content octets in by hand and sign again.
    private static X509Certificate2 Create(
        CertificateRequest request, X500DistinguishedName issuer, TestKey issuerKey, byte[] serial, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using X509Certificate2 template = request.Create(issuer, issuerKey.Generator, notBefore, notAfter, [0x01]);
        AsnReader certificate = new AsnReader(template.RawData, AsnEncodingRules.DER).ReadSequence();
        DerNode tbs = DerNode.Parse(certificate.ReadEncodedValue().Span);
        byte[] signed = tbs.EncodeWith(tbs.Children.First(node => node.Tag == 0x02), Der.Number(serial));
        return X509CertificateLoader.LoadCertificate(Der.Sequence(signed, certificate.ReadEncodedValue().ToArray(), Der.BitString(issuerKey.Sign(signed))));
    }
}
