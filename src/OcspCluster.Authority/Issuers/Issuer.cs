using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// One CA key that we answer for: its certificates (several when the key goes by several names or is cross-certified), who signs for it, and how. Immutable but for who signs, which is replaced as a whole; thread-safe.
/// </summary>
/// <remarks>
/// A CA that has a new key under the same name is another issuer: a request selects the key by its hash (RFC 6960 §4.1.1), and the answer comes from that key or its delegate.
/// </remarks>
public sealed class Issuer
{
    // Old certificates are to be answered for as well; nobody is trusted for the signature, it only tells whose they are.
    private static readonly OcspSignatureVerifier s_anyAge = new() { AcceptSha1 = true, MinimumModulusBits = 1024 };

    private readonly byte[] _keyBits;
    private volatile CredentialSet _credentials;

    /// <summary>Describes an issuer.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="certificates">Its certificates, at least one, all of one key.</param>
    /// <param name="credentials">Who signs, the default first: at least one. Clients may prefer another one's algorithm (RFC 6960 §4.4.7). Where the issuer has several names, a delegate that was issued under the name asked about is preferred.</param>
    /// <param name="policy">How its certificates are answered for.</param>
    /// <param name="requestors">Whose signed requests are trusted, for <see cref="SignedRequestPolicy.Verify"/> and <see cref="SignedRequestPolicy.Require"/>: signers themselves, or CAs that issued them.</param>
    /// <exception cref="ArgumentException">There is no certificate or no credential. What else cannot work, <see cref="IssuerRules.FindErrors"/> tells.</exception>
    public Issuer(
        IssuerId id,
        IReadOnlyList<X509Certificate2> certificates,
        IReadOnlyList<SigningCredential> credentials,
        IssuerPolicy? policy = null,
        IReadOnlyList<X509Certificate2>? requestors = null)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(credentials);
        if (certificates.Count == 0 || credentials.Count == 0)
        {
            throw new ArgumentException($"Issuer '{id}' needs at least one certificate and one signing credential.");
        }

        Id = id;
        Certificates = [.. certificates];
        Policy = policy ?? IssuerPolicy.Default;
        Requestors = [.. requestors ?? []];
        _keyBits = Certificates[0].PublicKey.EncodedKeyValue.RawData;
        _credentials = new CredentialSet(this, credentials);
    }

    /// <summary>Its name.</summary>
    public IssuerId Id { get; }

    /// <summary>Its certificates, all of one key.</summary>
    public IReadOnlyList<X509Certificate2> Certificates { get; }

    /// <summary>Who signs. Another list after <see cref="ReplaceCredentials"/>; each list never changes.</summary>
    public IReadOnlyList<SigningCredential> Credentials => _credentials.All;

    /// <summary>How its certificates are answered for.</summary>
    public IssuerPolicy Policy { get; }

    /// <summary>Whose signed requests are trusted.</summary>
    public IReadOnlyList<X509Certificate2> Requestors { get; }

    /// <summary>Whether a credential is the CA's own key, not a delegate's: then no certificate goes with its answers (RFC 9919 §3.2.2).</summary>
    public bool IsOwnKey(SigningCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return credential.KeyBits.Span.SequenceEqual(_keyBits);
    }

    /// <summary>
    /// Has others sign from now on, as when a key or certificate was renewed; to be judged by <see cref="IssuerRules"/> before. Signatures under way are still those of the old ones.
    /// </summary>
    /// <returns>Those that signed until now: to be disposed by their owner, some time later.</returns>
    /// <exception cref="ArgumentException">There is none.</exception>
    public IReadOnlyList<SigningCredential> ReplaceCredentials(IReadOnlyList<SigningCredential> credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        if (credentials.Count == 0)
        {
            throw new ArgumentException($"Issuer '{Id}' needs at least one signing credential.", nameof(credentials));
        }

        IReadOnlyList<SigningCredential> old = Credentials;
        _credentials = new CredentialSet(this, credentials);
        return old;
    }

    /// <summary>Whether a certificate bears one of this issuer's names and its signature is by this issuer's key.</summary>
    public bool HasIssued(IssuedCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return Certificates.Any(ca => certificate.IsIssuedBy(ca, s_anyAge) || Credentials.Any(credential => certificate.IsIssuedBy(ca, credential.Verifier)));
    }

    /// <summary>Whether a certificate bears one of a CA's names and its signature is by the CA's key, of an algorithm of .NET: for whoever has the CA's certificates and nobody who signs.</summary>
    /// <param name="certificates">The CA's.</param>
    /// <param name="certificate">The certificate.</param>
    public static bool HasIssued(IEnumerable<X509Certificate2> certificates, IssuedCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(certificate);
        return certificates.Any(ca => certificate.IsIssuedBy(ca, s_anyAge));
    }

    /// <summary>Verifies requests that are signed by one of <see cref="Requestors"/>, or by one whom a CA among them issued.</summary>
    public OcspRequestVerifier CreateRequestVerifier(TimeProvider clock)
    {
        ILookup<bool, X509Certificate2> byIsCa = Requestors.ToLookup(certificate => certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority));
        return new OcspRequestVerifier(new OcspRequestVerificationOptions { TrustedRequestors = [.. byIsCa[false]], TrustedIssuers = [.. byIsCa[true]], Clock = clock });
    }

    /// <summary>
    /// Who may sign for certificates that bear the name in this one of <see cref="Certificates"/>, in the order given: the credentials that the CA issued under that name,
    /// or all of them where there is none such.
    /// </summary>
    internal IReadOnlyList<SigningCredential> CredentialsFor(X509Certificate2 issuerCertificate) => _credentials.ByName[issuerCertificate];

    private byte[] NameOfCa(SigningCredential credential) => (IsOwnKey(credential) ? credential.Certificate.SubjectName : credential.Certificate.IssuerName).RawData;

    /// <summary>Who signs, and who for which of the issuer's names. Immutable: replaced as a whole.</summary>
    private sealed class CredentialSet
    {
        public CredentialSet(Issuer issuer, IReadOnlyList<SigningCredential> credentials)
        {
            All = [.. credentials];
            foreach (X509Certificate2 certificate in issuer.Certificates)
            {
                SigningCredential[] ofName = [.. All.Where(credential => issuer.NameOfCa(credential).AsSpan().SequenceEqual(certificate.SubjectName.RawData))];
                ByName[certificate] = ofName.Length > 0 ? ofName : All;
            }
        }

        public IReadOnlyList<SigningCredential> All { get; }

        public Dictionary<X509Certificate2, IReadOnlyList<SigningCredential>> ByName { get; } = new(ReferenceEqualityComparer.Instance);
    }
}
