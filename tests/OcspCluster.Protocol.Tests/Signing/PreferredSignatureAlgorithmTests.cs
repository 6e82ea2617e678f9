using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Signing;

/// <summary>What a client means by a preference (RFC 6960 §4.4.7.1), and that it means nothing weak.</summary>
public sealed class PreferredSignatureAlgorithmTests
{
    private const string Rsa = "1.2.840.113549.1.1.1";
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string Sha256WithRsa = "1.2.840.113549.1.1.11";
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";
    private const string RsaPss = "1.2.840.113549.1.1.10";
    private const string P256 = "06082A8648CE3D030107";
    private const string P384 = "06052B81040022";
    private const string Null = "0500";

    // RSASSA-PSS-params: SHA-256, MGF1 with SHA-256, salt 32; and the same with SHA-384 and salt 48
    private const string Pss256 = "3034A00F300D06096086480165030402010500A11C301A06092A864886F70D010108300D06096086480165030402010500A203020120";
    private const string Pss384 = "3034A00F300D06096086480165030402020500A11C301A06092A864886F70D010108300D06096086480165030402020500A203020130";

    // The same as the first with the NULL of the hashes left out, as RFC 4055 §2.1 lets a sender do
    private const string Pss256WithoutNull = "3030A00D300B0609608648016503040201A11A301806092A864886F70D010108300B0609608648016503040201A203020120";

    // SHA-1 by default, all fields left out
    private const string PssDefault = "3000";

    private static readonly PublicKey s_rsa = MakeRsa();
    private static readonly PublicKey s_p256 = MakeEc();

    [Theory]
    [InlineData(Sha256WithRsa, Null, Sha256WithRsa, Null, true)]
    [InlineData(Sha256WithRsa, "", Sha256WithRsa, Null, true)] // RFC 4055 §5: absent is the same
    [InlineData(Sha256WithRsa, "040100", Sha256WithRsa, Null, false)] // no such parameters
    [InlineData(EcdsaWithSha256, "", EcdsaWithSha256, "", true)]
    [InlineData(EcdsaWithSha256, Null, EcdsaWithSha256, "", true)]
    [InlineData(EcdsaWithSha256, "", Sha256WithRsa, Null, false)]
    [InlineData(RsaPss, "", RsaPss, Pss384, true)]
    [InlineData(RsaPss, Pss256, RsaPss, Pss256, true)]
    [InlineData(RsaPss, Pss256WithoutNull, RsaPss, Pss256, true)]
    [InlineData(RsaPss, Pss384, RsaPss, Pss256, false)]
    [InlineData(RsaPss, PssDefault, RsaPss, Pss256, false)]
    [InlineData(RsaPss, "3003020100", RsaPss, Pss256, false)] // not parameters at all
    [InlineData("1.2.840.113549.1.1.5", Null, "1.2.840.113549.1.1.5", Null, false)] // SHA-1, even by one who would sign so
    [InlineData("1.2.840.113549.1.1.4", Null, "1.2.840.113549.1.1.4", Null, false)] // MD5
    [InlineData("1.2.840.10045.4.1", "", "1.2.840.10045.4.1", "", false)]
    [InlineData(RsaPss, PssDefault, RsaPss, PssDefault, false)]
    public void IsMetBy_Signature_ByOidAndWhatTheParametersSay(string wantedOid, string wantedParameters, string actualOid, string actualParameters, bool expected) =>
        Assert.Equal(expected, new PreferredSignatureAlgorithm(Algorithm(wantedOid, wantedParameters)).IsMetBy(Algorithm(actualOid, actualParameters), s_rsa));

    [Theory]
    [InlineData(EcPublicKey, P256, true)]
    [InlineData(EcPublicKey, "", true)]
    [InlineData(EcPublicKey, P384, false)]
    [InlineData(Rsa, Null, false)]
    public void IsMetBy_Key_ByOidAndCurve(string oid, string parameters, bool expected) =>
        Assert.Equal(expected, new PreferredSignatureAlgorithm(new AlgorithmIdentifier(EcdsaWithSha256), Algorithm(oid, parameters)).IsMetBy(new AlgorithmIdentifier(EcdsaWithSha256), s_p256));

    private static AlgorithmIdentifier Algorithm(string oid, string parameters) => new(oid, Convert.FromHexString(parameters));

    private static PublicKey MakeRsa()
    {
        using RSA rsa = RSA.Create(2048);
        return new PublicKey(rsa);
    }

    private static PublicKey MakeEc()
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new PublicKey(ecdsa);
    }
}
