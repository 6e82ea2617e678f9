using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>A key pair of the tests. RSA and DSA keys take long to make and are made once.</summary>
internal sealed record TestKey(PublicKey Public, OcspSigner Signer)
{
    private static readonly Lazy<RSA>[] s_rsa = [new(() => RSA.Create(2048)), new(() => RSA.Create(2048))];
#pragma warning disable CA5384 // RFC 6960's responders may sign with DSA, and verifying it is what is tested
    private static readonly Lazy<DSA>[] s_dsa = [new(() => DSA.Create(2048)), new(() => DSA.Create(2048))];
#pragma warning restore CA5384

    public static TestKey P256() => From(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static TestKey From(ECDsa key, HashAlgorithmName? hash = null) => new(new PublicKey(key), OcspSigner.FromECDsa(key, hash));

    public static TestKey Rsa(HashAlgorithmName hash, RSASignaturePadding padding, int which = 0) =>
        new(new PublicKey(s_rsa[which].Value), OcspSigner.FromRsa(s_rsa[which].Value, hash, padding));

    public static TestKey RsaOfSha1() => RsaOfSha1(s_rsa[0].Value);

    public static TestKey RsaOfSha1(RSA key) => new(new PublicKey(key), new Sha1Signer(AlgorithmIdentifier.WithNull("1.2.840.113549.1.1.5"), data => key.SignData(data, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)));

    public static TestKey Dsa(HashAlgorithmName hash, int which = 0) => new(new PublicKey(s_dsa[which].Value), OcspSigner.FromDsa(s_dsa[which].Value, hash));

    public static TestKey DsaOfSha1() => new(new PublicKey(s_dsa[0].Value), new Sha1Signer(new AlgorithmIdentifier("1.2.840.10040.4.3"),
        data => s_dsa[0].Value.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence)));

    public static TestKey ECDsaOfSha1()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(new PublicKey(key), new Sha1Signer(new AlgorithmIdentifier("1.2.840.10045.4.1"), data => key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence)));
    }

    /// <summary>The kinds of key and signature that the library verifies by itself; two different keys of each.</summary>
    public static TestKey Of(string kind, int which = 0) => kind switch
    {
        "RSA-SHA256" => Rsa(HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, which),
        "RSA-SHA384" => Rsa(HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1, which),
        "RSA-SHA512" => Rsa(HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1, which),
        "PSS-SHA256" => Rsa(HashAlgorithmName.SHA256, RSASignaturePadding.Pss, which),
        "PSS-SHA384" => Rsa(HashAlgorithmName.SHA384, RSASignaturePadding.Pss, which),
        "PSS-SHA512" => Rsa(HashAlgorithmName.SHA512, RSASignaturePadding.Pss, which),
        "P256-SHA256" => P256(),
        "P256-SHA512" => From(ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA512),
        "P384-SHA384" => From(ECDsa.Create(ECCurve.NamedCurves.nistP384)),
        "P521-SHA512" => From(ECDsa.Create(ECCurve.NamedCurves.nistP521)),
        "DSA-SHA256" => Dsa(HashAlgorithmName.SHA256, which),
        "DSA-SHA384" => Dsa(HashAlgorithmName.SHA384, which),
        "DSA-SHA512" => Dsa(HashAlgorithmName.SHA512, which),
        _ => throw new ArgumentException(kind),
    };

    public static TheoryData<string> Kinds { get; } =
    [
        "RSA-SHA256", "RSA-SHA384", "RSA-SHA512", "PSS-SHA256", "PSS-SHA384", "PSS-SHA512",
        "P256-SHA256", "P256-SHA512", "P384-SHA384", "P521-SHA512", "DSA-SHA256", "DSA-SHA384", "DSA-SHA512",
    ];

    private sealed class Sha1Signer(AlgorithmIdentifier algorithm, Func<byte[], byte[]> sign) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm => algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => sign(data.ToArray());
    }
}

/// <summary>Lets .NET make certificates with any signer, DSA and SHA-1 too.</summary>
internal sealed class SignerGenerator(TestKey key) : X509SignatureGenerator
{
    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        key.Signer.Algorithm.Write(writer);
        return writer.Encode();
    }

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.Signer.Sign(data);

    protected override PublicKey BuildPublicKey() => key.Public;
}
