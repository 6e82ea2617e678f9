using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>Keys that are DER of the right shape and mathematically absurd: each is an answer, none an exception or a hang; so are names.</summary>
public sealed class HostileKeyTests
{
    private static readonly OcspSignatureVerifier s_lenient = new() { AcceptSha1 = true, MinimumModulusBits = 0 };

    private static readonly BigInteger[] s_numbers =
    [
        0, 1, 2, 3, -1, -3, 65537, BigInteger.Pow(2, 160), BigInteger.Pow(2, 256) - 189, BigInteger.Pow(2, 2048), BigInteger.Pow(2, 2048) - 1, -BigInteger.Pow(2, 2047),
    ];

    [Theory]
    [InlineData("RSA-SHA256")]
    [InlineData("PSS-SHA256")]
    public void Verify_RsaOfAbsurdNumbers_NotVerifiedNorThrown(string kind)
    {
        AlgorithmIdentifier[] algorithms = [TestKey.Of(kind).Signer.Algorithm, new("1.2.840.113549.1.1.10", new byte[] { 0x30, 0x00 }), PssWithSaltOfFive()];
        foreach (BigInteger modulus in s_numbers)
        {
            foreach (BigInteger exponent in s_numbers)
            {
                PublicKey key = new(new Oid("1.2.840.113549.1.1.1"), new AsnEncodedData([0x05, 0x00]), new AsnEncodedData(Integers(modulus, exponent)));

                AssertNotVerified(algorithms, key, [], new byte[256], [.. Enumerable.Repeat((byte)0xFF, 256)], [.. new byte[255], 1], [1]);
            }
        }
    }

    [Fact]
    public void Verify_RsaOfAModulusBeyondAllMeasure_NotVerified()
    {
        BigInteger modulus = BigInteger.Pow(2, 200_000) - 1; // to compute with it would take minutes
        BigInteger exponent = BigInteger.Pow(2, 100_000) + 1;
        PublicKey key = new(new Oid("1.2.840.113549.1.1.1"), new AsnEncodedData([0x05, 0x00]), new AsnEncodedData(Integers(modulus, exponent)));
        PublicKey longExponent = new(new Oid("1.2.840.113549.1.1.1"), new AsnEncodedData([0x05, 0x00]), new AsnEncodedData(Integers(BigInteger.Pow(2, 16383) + 1, exponent)));

        AssertNotVerified([PssWithSaltOfFive(), TestKey.Of("RSA-SHA256").Signer.Algorithm], key, new byte[25_000]);
        AssertNotVerified([PssWithSaltOfFive(), TestKey.Of("RSA-SHA256").Signer.Algorithm], longExponent, new byte[2048]);
    }

    [Fact]
    public void Verify_DsaOfAbsurdNumbers_NotVerifiedNorThrown()
    {
        AlgorithmIdentifier[] algorithms = [TestKey.Of("DSA-SHA256").Signer.Algorithm];
        byte[][] signatures = [[], Integers(0, 0), Integers(1, 1), Integers(-1, -1), Integers(BigInteger.Pow(2, 300), 1)];
        foreach (BigInteger p in s_numbers)
        {
            foreach (BigInteger q in s_numbers)
            {
                foreach (BigInteger y in new BigInteger[] { 0, 1, -1, BigInteger.Pow(2, 2047) })
                {
                    PublicKey key = new(new Oid("1.2.840.10040.4.1"), new AsnEncodedData(Integers(p, q, 2)), new AsnEncodedData(Integer(y)));

                    AssertNotVerified(algorithms, key, signatures);
                }
            }
        }
    }

    [Theory]
    [InlineData("1.2.840.10045.3.1.7", 32)]
    [InlineData("1.3.132.0.34", 48)]
    [InlineData("1.3.132.0.35", 66)]
    public void Verify_PointsThatAreNone_NotVerifiedNorThrown(string curve, int octets)
    {
        AsnWriter oid = new(AsnEncodingRules.DER);
        oid.WriteObjectIdentifier(curve);
        byte[][] points =
        [
            [], [0x00], [0x04], [0x02, .. new byte[octets]], [0x03, .. Enumerable.Repeat((byte)0xFF, octets)], [0x04, .. new byte[2 * octets]],
            [0x04, .. Enumerable.Repeat((byte)0xFF, 2 * octets)], [0x04, .. new byte[octets]], [0x06, .. new byte[2 * octets]], new byte[1 + (2 * octets)],
        ];

        Assert.All(points, point => AssertNotVerified(
            [TestKey.Of("P256-SHA256").Signer.Algorithm, TestKey.Of("P521-SHA512").Signer.Algorithm],
            new PublicKey(new Oid("1.2.840.10045.2.1"), new AsnEncodedData(oid.Encode()), new AsnEncodedData(point)),
            [],
            Integers(0, 0),
            Integers(1, 1),
            Integers(-1, BigInteger.Pow(2, 600))));
    }

    [Fact]
    public void Verify_NameThatNobodyCanWrite_IsToldInHexadecimal()
    {
        TestCa ca = new();
        TestKey key = TestKey.P256();
        X509Certificate2 responder = ca.IssueDelegate(key, new DelegateProfile { Name = "CN=\u00E9" });
        string encoded = Convert.ToHexString(Exchange.Respond(key, ResponderId.ByName(responder), [ca.Good()], [responder.RawData]).Encoded.Span);
        Assert.Contains("0C02C3A9", encoded, StringComparison.Ordinal);
        byte[] notUtf8 = Convert.FromHexString(encoded.Replace("0C02C3A9", "0C02C328", StringComparison.Ordinal));

        OcspVerificationResult result = OcspVerifier.Verify(notUtf8, ca.Asked, ca.Certificate, Exchange.Options);

        Assert.Equal(OcspVerificationOutcome.ResponderNotFound, result.Outcome); // .NET does not read such a certificate
        Assert.Contains("300D310B300906035504030C02C328", result.Message, StringComparison.Ordinal);
    }

    private static void AssertNotVerified(AlgorithmIdentifier[] algorithms, PublicKey key, params byte[][] signatures)
    {
        foreach (AlgorithmIdentifier algorithm in algorithms)
        {
            foreach (byte[] signature in signatures)
            {
                Assert.NotEqual(SignatureCheck.Verified, s_lenient.Verify(algorithm, key, "data"u8, signature));
            }
        }
    }

    private static AlgorithmIdentifier PssWithSaltOfFive() => new("1.2.840.113549.1.1.10",
        Convert.FromHexString("3034A00F300D06096086480165030402010500A11C301A06092A864886F70D010108300D06096086480165030402010500A203020105"));

    private static byte[] Integer(BigInteger number)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteInteger(number);
        return writer.Encode();
    }

    private static byte[] Integers(params BigInteger[] numbers)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (BigInteger number in numbers)
            {
                writer.WriteInteger(number);
            }
        }

        return writer.Encode();
    }
}
