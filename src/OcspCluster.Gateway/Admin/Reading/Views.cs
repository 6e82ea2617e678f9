using System.ComponentModel;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// What the read side answers, as JSON in the names below with a small first letter. Times are RFC 3339 in UTC, serial numbers hexadecimal as OpenSSL prints them.

/// <summary>The issuers within the caller's scopes.</summary>
internal sealed record IssuerListView(IReadOnlyList<IssuerNameView> Issuers);

/// <summary>An issuer in a list.</summary>
internal sealed record IssuerNameView(string Id, string Subject);

/// <summary>All of an issuer.</summary>
internal sealed record IssuerView(
    string Id,
    [property: Description("The last position of its journal; 0 when it is empty.")] long Position,
    StatusCountsView Counts,
    IReadOnlyList<CaCertificateView> Certificates,
    IReadOnlyList<CredentialView> Credentials,
    PolicyView Policy,
    [property: Description("What tells its revocations without being asked to: CRLs that are fetched, an index that is watched.")] IReadOnlyList<SourceView> Sources);

/// <summary>How many certificates are in each state.</summary>
internal sealed record StatusCountsView(long Good, long Revoked, long Held);

/// <summary>A certificate of the issuer itself.</summary>
internal sealed record CaCertificateView(string Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string Sha256, string Pem)
{
    public static CaCertificateView Of(X509Certificate2 certificate) => new(
        certificate.Subject,
        certificate.NotBefore.ToUniversalTime(),
        certificate.NotAfter.ToUniversalTime(),
        certificate.GetCertHashString(HashAlgorithmName.SHA256),
        certificate.ExportCertificatePem());
}

/// <summary>Who signs for the issuer.</summary>
internal sealed record CredentialView(string Subject, string Sha256, bool IsDelegated, string SignatureAlgorithm, DateTimeOffset NotBefore, DateTimeOffset NotAfter, bool IsValidNow)
{
    public static CredentialView Of(Issuer issuer, SigningCredential credential, DateTimeOffset now) => new(
        credential.Certificate.Subject,
        credential.Certificate.GetCertHashString(HashAlgorithmName.SHA256),
        !issuer.IsOwnKey(credential),
        credential.Signer.Algorithm.Oid,
        credential.NotBefore,
        credential.NotAfter,
        credential.NotBefore <= now && now <= credential.NotAfter);
}

/// <summary>How the issuer's certificates are answered for; durations are [d.]hh:mm:ss.</summary>
internal sealed record PolicyView(
    string Inventory,
    string Unissued,
    TimeSpan ExpiredRetention,
    string Nonce,
    int NonceMaxBytes,
    bool AcceptRawNonce,
    string SignedRequests,
    TimeSpan Validity,
    double RefreshAt,
    TimeSpan MaxAge,
    TimeSpan Backdate,
    string ResponderId)
{
    public static PolicyView Of(IssuerPolicy policy) => new(
        policy.Inventory.ToString(), policy.Unissued.ToString(), policy.ExpiredRetention, policy.Nonce.ToString(), policy.NonceMaxBytes, policy.AcceptRawNonce,
        policy.SignedRequests.ToString(), policy.Validity, policy.RefreshAt, policy.MaxAge, policy.Backdate, policy.ResponderId.ToString());
}

/// <summary>A page of certificates.</summary>
internal sealed record CertificateListView(
    IReadOnlyList<CertificateStatusView> Certificates,
    [property: Description("What to give as after for the next page; null on the last.")] string? Next);

/// <summary>The status of one certificate.</summary>
internal sealed record CertificateStatusView(
    string Serial, string Status, DateTimeOffset? RevocationTime, string? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset? NotAfter, DateTimeOffset? RecordedAt, long Position)
{
    public static CertificateStatusView Of(SerialNumber serial, CertificateStatus status) => new(
        serial.ToString(), NameOf(status.State), status.RevocationTime, status.Reason?.ToName(), status.InvalidityDate, status.NotAfter, status.RecordedAt, status.Position);

    public static string NameOf(CertificateState state) => state switch
    {
        CertificateState.Good => "good",
        CertificateState.Revoked => "revoked",
        CertificateState.Held => "held",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };
}

/// <summary>All of one certificate.</summary>
internal sealed record CertificateView(
    string Serial,
    string SerialDecimal,
    CertificateStatusView Status,
    [property: Description("What its CA told of it, newest first.")] IReadOnlyList<HistoryView> History,
    [property: Description("The signed answers that this process keeps for it.")] IReadOnlyList<CachedResponseView> Responses);

/// <summary>One entry of the journal.</summary>
internal sealed record HistoryView(
    long Position,
    string Id,
    string Kind,
    DateTimeOffset At,
    string? Reason,
    DateTimeOffset? InvalidityDate,
    DateTimeOffset? NotAfter,
    DateTimeOffset ReceivedAt,
    [property: Description("The credential that told it; null when there was none, or it is not known.")] string? Credential,
    [property: Description("From where it was told: an address, or 'local' for this machine's own doing.")] string? RemoteAddress)
{
    public static HistoryView Of(JournalEntry entry) => new(
        entry.Position, entry.Event.Id, NameOf(entry.Event.Kind), entry.Event.At, entry.Event.Reason?.ToName(), entry.Event.InvalidityDate, entry.Event.NotAfter, entry.ReceivedAt,
        entry.Submitter.Credential, entry.Submitter.RemoteAddress);

    public static string NameOf(EventKind kind) => kind switch
    {
        EventKind.Issued => "issued",
        EventKind.Revoked => "revoked",
        EventKind.Held => "held",
        EventKind.Released => "released",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind."),
    };
}

/// <summary>A signed answer in the cache.</summary>
internal sealed record CachedResponseView(
    [property: Description("The CertID's hash algorithm by name, or its OID.")] string Hash,
    DateTimeOffset ProducedAt,
    DateTimeOffset ThisUpdate,
    DateTimeOffset NextUpdate,
    string ETag,
    [property: Description("The DER of the OCSPResponse in base64.")] byte[] Response)
{
    public static CachedResponseView Of(CachedResponse cached)
    {
        string oid = CertId.Decode(cached.CertId).HashAlgorithm.Oid;
        return new CachedResponseView(
            CertIdHash.All.FirstOrDefault(hash => hash.Oid == oid)?.Name ?? oid,
            cached.Response.ProducedAt,
            cached.Response.ThisUpdate,
            cached.Response.NextUpdate,
            cached.Response.EntityTag,
            cached.Response.Encoded.ToArray());
    }
}
