using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>A certificate, or pre-certificate, as its CA hands it in: what an authority records of it, and whose it is (RFC 5280 §4.1). Immutable.</summary>
public sealed class IssuedCertificate
{
    private readonly CertificateFields _fields;

    private IssuedCertificate(CertificateFields fields) => _fields = fields;

    /// <summary>The serial number, whatever its length and sign.</summary>
    public SerialNumber SerialNumber => _fields.SerialNumber;

    /// <summary>The end of its validity.</summary>
    public DateTimeOffset NotAfter => _fields.NotAfter;

    /// <summary>Reads the DER of one certificate, strictly.</summary>
    /// <returns>False when it is not one by the letter of RFC 5280.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out IssuedCertificate? certificate)
    {
        certificate = CertificateFields.TryDecode(encoded) is { } fields ? new IssuedCertificate(fields) : null;
        return certificate is not null;
    }

    /// <summary>Whether a CA issued it: it bears the CA's name, byte for byte, and the CA's key verifies its signature.</summary>
    /// <param name="issuer">The CA's certificate.</param>
    /// <param name="verifier">Verifies signatures of the CA's kind.</param>
    public bool IsIssuedBy(X509Certificate2 issuer, OcspSignatureVerifier verifier)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(verifier);
        return _fields.Issuer.Span.SequenceEqual(issuer.SubjectName.RawData)
            && verifier.Verify(_fields.SignatureAlgorithm, issuer.PublicKey, _fields.TbsCertificate.Span, _fields.Signature.Span) == SignatureCheck.Verified;
    }
}
