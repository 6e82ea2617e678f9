using System.ComponentModel;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// As in Views.cs: names with a small first letter, times RFC 3339 in UTC, serial numbers hexadecimal.

/// <summary>What a relying party would hear of a certificate from this node now, and why.</summary>
internal sealed record ExplanationView(
    string Serial,
    string Issuer,
    [property: Description("The hash algorithm of the CertID that is asked with.")] string Hash,
    [property: Description("good, revoked, unknown, unauthorized, tryLater or internalError.")] string Answer,
    [property: Description("Why, in sentences, in the order in which the reasons count.")] IReadOnlyList<string> Because,
    [property: Description("The event that made the status; null when there is none, or the store cannot tell now.")] HistoryView? Event,
    [property: Description("Who signed the answer, or would; null when nobody does.")] SignerView? Signer,
    [property: Description("cache, kept (the store of answers), signed (for the request), actor (the certificate's, in a cluster), refused (by policy) or failed.")] string Source,
    [property: Description("The answer at hand for this form of the CertID, whether it would be given or not; null when there is none.")] CachedAnswerView? Cached,
    [property: Description("The node that tells this.")] string Node,
    [property: Description("Whether the node may believe its cache; null where there are no leases.")] HeldLeaseView? Lease,
    [property: Description("The caches of the other nodes; null on a host that is alone.")] IReadOnlyList<CacheElsewhere>? Others)
{
    public static string NameOf(ExplainedSource source) => source switch
    {
        ExplainedSource.Refused => "refused",
        ExplainedSource.Cache => "cache",
        ExplainedSource.Kept => "kept",
        ExplainedSource.Signed => "signed",
        ExplainedSource.Actor => "actor",
        ExplainedSource.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, "Not a source."),
    };
}

/// <summary>Who signs.</summary>
internal sealed record SignerView(
    string Subject,
    [property: Description("The SHA-1 of the public key, as answers name their responder by key (RFC 6960 §4.2.1).")] string KeyId,
    DateTimeOffset NotAfter,
    [property: Description("The OID of the signature algorithm.")] string Algorithm)
{
    public static SignerView Of(SigningCredential credential) => new(
        credential.Certificate.Subject,
        Convert.ToHexString(CertIdHash.Sha1.Compute(credential.Certificate.PublicKey.EncodedKeyValue.RawData)),
        credential.NotAfter,
        credential.Signer.Algorithm.Oid);
}

/// <summary>A signed answer at hand.</summary>
internal sealed record CachedAnswerView(
    DateTimeOffset ThisUpdate,
    DateTimeOffset NextUpdate,
    DateTimeOffset ProducedAt,
    [property: Description("After this a newer one is signed at the next request.")] DateTimeOffset RenewedFrom,
    [property: Description("The journal position of the status that it was made from.")] long Position,
    string ETag,
    [property: Description("The DER of the OCSPResponse in base64.")] byte[] Bytes)
{
    public static CachedAnswerView Of(CachedResponse cached) => new(
        cached.Response.ThisUpdate, cached.Response.NextUpdate, cached.Response.ProducedAt, cached.Response.RefreshAt, cached.Position, cached.Response.EntityTag, cached.Response.Encoded.ToArray());
}

/// <summary>Whether the node may believe its cache.</summary>
internal sealed record HeldLeaseView(bool IsHeld, double SecondsLeft);
