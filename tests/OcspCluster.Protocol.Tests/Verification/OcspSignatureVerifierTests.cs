using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class OcspSignatureVerifierTests
{
    private static readonly byte[] s_data = "to be signed"u8.ToArray();

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_OwnSignature_Verified(string kind)
    {
        TestKey key = TestKey.Of(kind);

        Assert.Equal(SignatureCheck.Verified, Verify(key, s_data, key.Signer.Sign(s_data)));
    }

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_OtherData_Wrong(string kind)
    {
        TestKey key = TestKey.Of(kind);

        Assert.Equal(SignatureCheck.Wrong, Verify(key, [.. s_data, 0], key.Signer.Sign(s_data)));
    }

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_BrokenSignatures_WrongWithoutException(string kind)
    {
        TestKey key = TestKey.Of(kind);
        byte[] signature = key.Signer.Sign(s_data);

        Assert.All(
            new byte[][] { [], [0], [0x30, 0x80], [.. signature, 0], signature[..^1], [.. signature.Reverse()], new byte[signature.Length], [.. Enumerable.Repeat((byte)0xFF, 4096)] },
            broken => Assert.Equal(SignatureCheck.Wrong, Verify(key, s_data, broken)));
    }

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_KeyWithAnyOctetChanged_NeverVerifiedNorThrown(string kind)
    {
        TestKey key = TestKey.Of(kind);
        byte[] signature = key.Signer.Sign(s_data);
        byte[] value = key.Public.EncodedKeyValue.RawData;
        byte[] parameters = key.Public.EncodedParameters!.RawData;
        for (int i = 0; i < value.Length; i += 7)
        {
            PublicKey changed = new(key.Public.Oid, new AsnEncodedData(parameters), new AsnEncodedData(Flip(value, i)));

            Assert.NotEqual(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(key.Signer.Algorithm, changed, s_data, signature));
        }

        for (int i = 0; i < parameters.Length; i += 7)
        {
            PublicKey changed = new(key.Public.Oid, new AsnEncodedData(Flip(parameters, i)), new AsnEncodedData(value));

            _ = OcspSignatureVerifier.Default.Verify(key.Signer.Algorithm, changed, s_data, signature); // RSA's parameters say nothing; it is enough not to throw
        }
    }

    [Theory]
    [InlineData("1.2.840.113549.1.1.1")]
    [InlineData("1.2.840.113549.1.1.10")]
    [InlineData("1.2.840.10045.2.1")]
    [InlineData("1.2.840.10040.4.1")]
    [InlineData("1.3.101.112")]
    [InlineData("2.999.1")]
    public void Verify_KeyOfJunk_NotVerifiedByAnyAlgorithm(string keyOid)
    {
        PublicKey[] junk =
        [
            .. new byte[][] { [], [0x05, 0x00], [0x30, 0x00], [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] }.SelectMany(
                _ => new byte[][] { [], [0x04], [0x30, 0x00], [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00], [0x02, 0x01, 0x05] },
                (parameters, value) => new PublicKey(new Oid(keyOid), new AsnEncodedData(parameters), new AsnEncodedData(value))),
        ];
        AlgorithmIdentifier[] algorithms = [.. TestKey.Kinds.Select(kind => TestKey.Of(kind.Data).Signer.Algorithm)];
        OcspSignatureVerifier lenient = new() { AcceptSha1 = true, MinimumModulusBits = 0 };

        Assert.All(junk, key => Assert.All(algorithms, algorithm => Assert.NotEqual(SignatureCheck.Verified, lenient.Verify(algorithm, key, s_data, [1, 2, 3]))));
    }

    [Fact]
    public void Verify_KeyOfAnotherKind_Wrong()
    {
        string[] kinds = ["RSA-SHA256", "PSS-SHA256", "P256-SHA256", "DSA-SHA256"];
        foreach (string signed in kinds)
        {
            TestKey signer = TestKey.Of(signed);
            foreach (string other in kinds.Where(kind => kind != signed && !(kind[0] is 'R' or 'P' && kind.StartsWith("PSS", StringComparison.Ordinal) && signed.StartsWith("RSA", StringComparison.Ordinal))))
            {
                AlgorithmIdentifier algorithm = TestKey.Of(other).Signer.Algorithm;

                Assert.Equal(SignatureCheck.Wrong, OcspSignatureVerifier.Default.Verify(algorithm, signer.Public, s_data, signer.Signer.Sign(s_data)));
            }
        }
    }

    public static TheoryData<string> Sha1Kinds { get; } = ["RSA", "ECDSA", "DSA"];

    [Theory]
    [MemberData(nameof(Sha1Kinds))]
    public void Verify_Sha1_TooWeakUnlessAccepted(string kind)
    {
        TestKey key = kind switch { "RSA" => TestKey.RsaOfSha1(), "ECDSA" => TestKey.ECDsaOfSha1(), _ => TestKey.DsaOfSha1() };
        byte[] signature = key.Signer.Sign(s_data);
        OcspSignatureVerifier lenient = new() { AcceptSha1 = true };

        Assert.Equal(SignatureCheck.AlgorithmTooWeak, Verify(key, s_data, signature));
        Assert.Equal(SignatureCheck.Verified, lenient.Verify(key.Signer.Algorithm, key.Public, s_data, signature));
        Assert.Equal(SignatureCheck.Wrong, lenient.Verify(key.Signer.Algorithm, key.Public, [], signature));
    }

    [Theory]
    [InlineData("1.2.840.113549.1.1.2")]
    [InlineData("1.2.840.113549.1.1.4")]
    public void Verify_Md2OrMd5_TooWeakAlways(string oid)
    {
        TestKey key = TestKey.Of("RSA-SHA256");
        OcspSignatureVerifier lenient = new() { AcceptSha1 = true, MinimumModulusBits = 0 };

        Assert.Equal(SignatureCheck.AlgorithmTooWeak, lenient.Verify(AlgorithmIdentifier.WithNull(oid), key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_ShortRsaKey_TooWeakUnlessAccepted()
    {
        using RSA rsa = RSA.Create(1024);
        TestKey key = new(new PublicKey(rsa), OcspSigner.FromRsa(rsa));
        TestKey pss = new(new PublicKey(rsa), OcspSigner.FromRsa(rsa, padding: RSASignaturePadding.Pss));
        OcspSignatureVerifier lenient = new() { MinimumModulusBits = 1024 };

        Assert.Equal(SignatureCheck.AlgorithmTooWeak, Verify(key, s_data, key.Signer.Sign(s_data)));
        Assert.Equal(SignatureCheck.AlgorithmTooWeak, Verify(pss, s_data, pss.Signer.Sign(s_data)));
        Assert.Equal(SignatureCheck.Verified, lenient.Verify(key.Signer.Algorithm, key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_UnknownAlgorithm_Unsupported()
    {
        TestKey key = TestKey.P256();

        Assert.Equal(SignatureCheck.AlgorithmUnsupported, OcspSignatureVerifier.Default.Verify(new AlgorithmIdentifier("1.3.101.112"), key.Public, s_data, [1]));
    }

    [Theory]
    [InlineData("RSA-SHA256", "3000")]
    [InlineData("P256-SHA256", "0500")]
    [InlineData("DSA-SHA256", "0500")]
    public void Verify_ParametersThatDoNotBelong_Unsupported(string kind, string parameters)
    {
        TestKey key = TestKey.Of(kind);
        AlgorithmIdentifier algorithm = new(key.Signer.Algorithm.Oid, Convert.FromHexString(parameters));

        Assert.Equal(SignatureCheck.AlgorithmUnsupported, OcspSignatureVerifier.Default.Verify(algorithm, key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_RsaWithAbsentParameters_Verified()
    {
        TestKey key = TestKey.Of("RSA-SHA256");

        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(new AlgorithmIdentifier(key.Signer.Algorithm.Oid), key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Theory]
    [InlineData("1.3.132.0.10")] // secp256k1
    [InlineData("1.3.36.3.3.2.8.1.1.7")] // brainpoolP256r1
    public void Verify_OtherCurve_Unsupported(string curve)
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.CreateFromValue(curve));
        TestKey key = TestKey.From(ecdsa);

        Assert.Equal(SignatureCheck.AlgorithmUnsupported, Verify(key, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_CurveSpelledOutByTheKey_Unsupported()
    {
        using ECDsa named = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa spelledOut = ECDsa.Create(named.ExportExplicitParameters(includePrivateParameters: true));
        TestKey key = TestKey.From(spelledOut);
        Assert.Equal(0x30, key.Public.EncodedParameters!.RawData[0]);

        Assert.Equal(SignatureCheck.AlgorithmUnsupported, Verify(key, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_AlgorithmOfAScheme_AsksTheScheme()
    {
        TestKey key = TestKey.P256();
        OcspSignatureVerifier verifier = new(new Echo("2.999.1"), new Echo("2.999.2"));

        Assert.Equal(SignatureCheck.Verified, verifier.Verify(new AlgorithmIdentifier("2.999.2"), key.Public, s_data, s_data));
        Assert.Equal(SignatureCheck.Wrong, verifier.Verify(new AlgorithmIdentifier("2.999.1"), key.Public, s_data, [1]));
        Assert.Equal(SignatureCheck.AlgorithmUnsupported, verifier.Verify(new AlgorithmIdentifier("2.999.3"), key.Public, s_data, s_data));
    }

    [Fact]
    public void Constructor_TwoSchemesForOneAlgorithm_Throws() =>
        Assert.Throws<ArgumentException>(() => new OcspSignatureVerifier(new Echo("2.999.1"), new Echo("2.999.1")));

    private static SignatureCheck Verify(TestKey key, byte[] data, byte[] signature) => OcspSignatureVerifier.Default.Verify(key.Signer.Algorithm, key.Public, data, signature);

    private static byte[] Flip(byte[] octets, int index)
    {
        byte[] changed = [.. octets];
        changed[index] ^= 0x55;
        return changed;
    }

    /// <summary>A scheme whose signature is the data.</summary>
    private sealed class Echo(string oid) : SignatureScheme
    {
        public override string Oid => oid;

        public override SignatureCheck Verify(AlgorithmIdentifier algorithm, PublicKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
            data.SequenceEqual(signature) ? SignatureCheck.Verified : SignatureCheck.Wrong;
    }
}
