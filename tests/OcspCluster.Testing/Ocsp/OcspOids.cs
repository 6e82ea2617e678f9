namespace OcspCluster.Testing;

/// <summary>Object identifiers of OCSP, written down here a second time: the judge takes none from the code under test.</summary>
public static class OcspOids
{
    public const string Basic = "1.3.6.1.5.5.7.48.1.1";
    public const string Nonce = "1.3.6.1.5.5.7.48.1.2";
    public const string CrlReference = "1.3.6.1.5.5.7.48.1.3";
    public const string AcceptableResponses = "1.3.6.1.5.5.7.48.1.4";
    public const string NoCheck = "1.3.6.1.5.5.7.48.1.5";
    public const string ArchiveCutoff = "1.3.6.1.5.5.7.48.1.6";
    public const string ServiceLocator = "1.3.6.1.5.5.7.48.1.7";
    public const string PreferredSignatureAlgorithms = "1.3.6.1.5.5.7.48.1.8";
    public const string ExtendedRevoke = "1.3.6.1.5.5.7.48.1.9";
    public const string OcspSigning = "1.3.6.1.5.5.7.3.9";
    public const string ReasonCode = "2.5.29.21";
    public const string InvalidityDate = "2.5.29.24";

    public const string Sha1 = "1.3.14.3.2.26";
    public const string Sha256 = "2.16.840.1.101.3.4.2.1";
    public const string Sha384 = "2.16.840.1.101.3.4.2.2";
    public const string Sha512 = "2.16.840.1.101.3.4.2.3";

    public const string Sha1WithRsa = "1.2.840.113549.1.1.5";
    public const string Md5WithRsa = "1.2.840.113549.1.1.4";
    public const string RsaPss = "1.2.840.113549.1.1.10";
    public const string Sha256WithRsa = "1.2.840.113549.1.1.11";
    public const string Sha384WithRsa = "1.2.840.113549.1.1.12";
    public const string Sha512WithRsa = "1.2.840.113549.1.1.13";
    public const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";
    public const string EcdsaWithSha384 = "1.2.840.10045.4.3.3";
    public const string EcdsaWithSha512 = "1.2.840.10045.4.3.4";
}
