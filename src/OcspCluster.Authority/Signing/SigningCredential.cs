using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>A certificate and the key that signs answers in its name: the CA's own, or a delegated responder's (RFC 6960 §4.2.2.2). Immutable; thread-safe.</summary>
public sealed class SigningCredential : IDisposable
{
    /// <summary>Takes a certificate and its signer.</summary>
    /// <param name="certificate">The certificate of the key that signs.</param>
    /// <param name="signer">Signs.</param>
    /// <param name="verifier">Verifies what was signed before it is served; where not given, by .NET, which knows RSA, ECDSA and DSA.</param>
    /// <param name="limits">How much is asked of the signer at once; <see cref="SignerLimits.Default"/> where not given.</param>
    public SigningCredential(X509Certificate2 certificate, OcspSigner signer, OcspSignatureVerifier? verifier = null, SignerLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(signer);
        Certificate = certificate;
        Signer = signer;
        Verifier = verifier ?? OcspSignatureVerifier.Default;
        Limits = limits ?? SignerLimits.Default;
        PublicKey = new VerificationKey(certificate.PublicKey);
        Validity = CertificateValidity.Of(certificate);
        Fingerprint = Digest.Of(certificate.RawDataMemory.Span);
        ByKey = ResponderId.ByKey(certificate);
        ByName = ResponderId.ByName(certificate);
        KeyBits = certificate.PublicKey.EncodedKeyValue.RawData;
        Certificates = [certificate.RawDataMemory];
    }

    /// <summary>Takes a certificate with its private key, RSA, ECDSA or DSA.</summary>
    /// <exception cref="ArgumentException">It has no such key.</exception>
    public SigningCredential(X509Certificate2 certificateWithKey)
        : this(certificateWithKey, OcspSigner.FromCertificate(certificateWithKey))
    {
    }

    /// <summary>The certificate of the key that signs.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Signs.</summary>
    public OcspSigner Signer { get; }

    /// <summary>The beginning of the certificate's validity.</summary>
    public DateTimeOffset NotBefore => Validity.NotBefore;

    /// <summary>The end of the certificate's validity: no answer is signed beyond it.</summary>
    public DateTimeOffset NotAfter => Validity.NotAfter;

    /// <summary>How much is asked of the signer at once.</summary>
    public SignerLimits Limits { get; }

    /// <summary>How many signatures it makes at once.</summary>
    public int Concurrency => Limits.ConcurrencyOf(Signer);

    /// <summary>The SHA-256 of the certificate.</summary>
    public Digest Fingerprint { get; }

    internal OcspSignatureVerifier Verifier { get; }

    internal VerificationKey PublicKey { get; }

    internal CertificateValidity Validity { get; }

    internal ResponderId ByKey { get; }

    internal ResponderId ByName { get; }

    /// <summary>The public key. .NET copies it each time that it is asked.</summary>
    internal ReadOnlyMemory<byte> KeyBits { get; }

    /// <summary>What a delegate sends along.</summary>
    internal ReadOnlyMemory<byte>[] Certificates { get; }

    /// <summary>Disposes the signer.</summary>
    public void Dispose()
    {
        Signer.Dispose();
        PublicKey.Dispose();
    }

    /// <summary>Whether it may sign at a time: within its certificate's validity.</summary>
    internal bool IsValidAt(DateTimeOffset now) => now >= NotBefore && now <= NotAfter;
}
