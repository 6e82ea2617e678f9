using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>What is known of the certificates that an issuer issued.</summary>
public enum Inventory
{
    /// <summary>All of them are: a serial that is not recorded was never issued, and is never answered <c>good</c> (BR 4.9.9).</summary>
    Known,

    /// <summary>Only the revoked ones are, as from a CRL: a serial that is not recorded is answered <c>good</c> (RFC 6960 §2.2).</summary>
    Unknown,
}

/// <summary>The answer for a serial that an issuer with a known inventory never issued.</summary>
public enum UnissuedAnswer
{
    /// <summary>Unsigned <c>unauthorized</c>: no signature is spent on it (RFC 9919 §3.2.3).</summary>
    Unauthorized,

    /// <summary>Signed <c>unknown</c> (RFC 6960 §2.2).</summary>
    Unknown,

    /// <summary>Signed <c>revoked</c> since 1970 on hold, with the extended revoked definition (RFC 6960 §2.2, §4.4.8).</summary>
    Revoked,
}

/// <summary>What is done with a nonce (RFC 9654).</summary>
public enum NoncePolicy
{
    /// <summary>Answered without it, from the cache.</summary>
    Ignore,

    /// <summary>Echoed in an answer signed for this request.</summary>
    Echo,

    /// <summary>Echoed; a request without one is <c>unauthorized</c>.</summary>
    Require,
}

/// <summary>What is done with a request's signature (RFC 6960 §4.1.2).</summary>
public enum SignedRequestPolicy
{
    /// <summary>Not looked at.</summary>
    Ignore,

    /// <summary>Verified where there is one; a bad or untrusted one is <c>unauthorized</c>.</summary>
    Verify,

    /// <summary>Verified; a request without one is <c>sigRequired</c>.</summary>
    Require,
}

/// <summary>How an answer names who signed it (RFC 6960 §4.2.1).</summary>
public enum ResponderIdForm
{
    /// <summary>By the hash of the key (RFC 9919 §3.2.2).</summary>
    ByKey,

    /// <summary>By the subject's name.</summary>
    ByName,
}

/// <summary>Whose rules bind an issuer's answers.</summary>
public enum IssuerProfile
{
    /// <summary>The CA/Browser Forum's for subscriber certificates: answers valid for 8 hours to 10 days, and renewed well before they end (BR 4.9.9).</summary>
    Public,

    /// <summary>The CA/Browser Forum's for CA certificates, as a root answers for: renewed within 12 months (BR 4.9.9).</summary>
    PublicCaCertificates,

    /// <summary>Nobody's but the RFCs': the CA is not publicly trusted.</summary>
    Private,
}

/// <summary>For which certificates answers are signed before somebody asks.</summary>
public enum Presign
{
    /// <summary>For those that were asked for: their answers are renewed until nobody has asked for <see cref="IssuerPolicy.AskedWithin"/>.</summary>
    Asked,

    /// <summary>For every certificate that is not expired. The cache has to hold them (<c>plan</c> tells how much that is).</summary>
    All,

    /// <summary>For none: an answer is signed when somebody asks and the last one is due.</summary>
    OnDemand,
}

/// <summary>What is done with a cached <c>good</c> by a gateway of a cluster that cannot be sure that nothing was revoked meanwhile (it has no lease).</summary>
public enum WithoutLease
{
    /// <summary>The status is read from the store first; when that cannot be, the answer is tryLater.</summary>
    AskStore,

    /// <summary>It is given until its nextUpdate, as an HTTP cache would: a revocation that was acknowledged may not show until then.</summary>
    ServeUntilNextUpdate,
}

/// <summary>How one issuer's certificates are answered for. Immutable.</summary>
public sealed record IssuerPolicy
{
    /// <summary>The defaults.</summary>
    public static IssuerPolicy Default { get; } = new();

    /// <summary>Whose rules bind <see cref="Validity"/> and <see cref="RefreshAt"/>. Default <see cref="IssuerProfile.Public"/>.</summary>
    public IssuerProfile Profile { get; init; }

    /// <summary>What is known of the issued certificates. Default <see cref="Inventory.Known"/>.</summary>
    public Inventory Inventory { get; init; }

    /// <summary>The answer for what was never issued. Default <see cref="UnissuedAnswer.Unauthorized"/>.</summary>
    public UnissuedAnswer Unissued { get; init; }

    /// <summary>
    /// How long after its end a certificate is still answered for, with an archive cutoff (RFC 6960 §4.4.4); then it is <c>unauthorized</c>. Default 7 days.
    /// </summary>
    public TimeSpan ExpiredRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>What is done with a nonce. Default <see cref="NoncePolicy.Echo"/>.</summary>
    public NoncePolicy Nonce { get; init; } = NoncePolicy.Echo;

    /// <summary>The longest nonce, 1 to 128 octets. Default 128 (RFC 9654 §2.1).</summary>
    public int NonceMaxBytes { get; init; } = 128;

    /// <summary>Echoes a nonce that lacks the OCTET STRING around it, as some old clients send it. Default false: malformedRequest.</summary>
    public bool AcceptRawNonce { get; init; }

    /// <summary>What is done with a request's signature. Default <see cref="SignedRequestPolicy.Ignore"/>.</summary>
    public SignedRequestPolicy SignedRequests { get; init; }

    /// <summary>
    /// From thisUpdate to nextUpdate, both inclusive: nextUpdate is a second less than this after thisUpdate (BR 4.9.9). 2 minutes to 366 days. Default 4 days.
    /// </summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(4);

    /// <summary>The part of the validity after which an answer is signed anew, 0.1 to 0.95. Default 0.5.</summary>
    public double RefreshAt { get; init; } = 0.5;

    /// <summary>
    /// The longest that HTTP caches may keep an answer: with what clients keep, the time until a revocation has reached everyone. 0 to <see cref="Validity"/>. Default 1 hour.
    /// </summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How far thisUpdate is put back for clients whose clocks are slow. 0 to 1 hour. Default 0.</summary>
    public TimeSpan Backdate { get; init; }

    /// <summary>How an answer names who signed it. Default <see cref="ResponderIdForm.ByKey"/>.</summary>
    public ResponderIdForm ResponderId { get; init; }

    /// <summary>
    /// The part of the answers whose signature is verified before anybody gets them, 0 to 1; of all the rest is checked. Default 1: a wrong signature is an outage at the relying parties.
    /// </summary>
    public double VerifySample { get; init; } = 1;

    /// <summary>For which certificates answers are signed before somebody asks. Default <see cref="Presign.Asked"/>.</summary>
    public Presign Presign { get; init; }

    /// <summary>
    /// By which hash algorithms the CertIDs name the issuer that are signed ahead with <see cref="Presign.All"/>; each costs a signature and an answer's memory for every certificate. At least one. Default SHA-1, which
    /// most clients send; others are signed when somebody asks, and then kept fresh.
    /// </summary>
    public IReadOnlyList<CertIdHash> PresignHashes { get; init; } = [CertIdHash.Sha1];

    /// <summary>How long after the last request an answer is still renewed, with <see cref="Presign.Asked"/>. 0 to 366 days. Default 8 days.</summary>
    public TimeSpan AskedWithin { get; init; } = TimeSpan.FromDays(8);

    /// <summary>The signatures per second that may be spent on what nobody waits for. 1 to 1,000,000. Default 500.</summary>
    public int RefreshSignaturesPerSecond { get; init; } = 500;

    /// <summary>What a gateway of a cluster does with a cached <c>good</c> while it has no lease. Default <see cref="WithoutLease.AskStore"/>. Without a cluster there is always one.</summary>
    public WithoutLease WithoutLease { get; init; }

    /// <summary>Every bound that these values break, each with name, value and bound; empty when none.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (!Enum.IsDefined(Inventory) || !Enum.IsDefined(Unissued) || !Enum.IsDefined(Nonce) || !Enum.IsDefined(SignedRequests) || !Enum.IsDefined(ResponderId) || !Enum.IsDefined(Profile) || !Enum.IsDefined(Presign) || !Enum.IsDefined(WithoutLease))
        {
            yield return "Inventory, Unissued, Nonce, SignedRequests, ResponderId, Profile, Presign or WithoutLease has a value that does not exist";
        }

        if (ExpiredRetention < TimeSpan.Zero || ExpiredRetention > TimeSpan.FromDays(36_500))
        {
            yield return $"ExpiredRetention is {ExpiredRetention}: 0 to 36500 days";
        }

        if (NonceMaxBytes is < 1 or > 128)
        {
            yield return $"NonceMaxBytes is {NonceMaxBytes}: 1 to 128 (RFC 9654 §2.1)";
        }

        if (Validity < TimeSpan.FromMinutes(2) || Validity > TimeSpan.FromDays(366))
        {
            yield return $"Validity is {Validity}: 2 minutes to 366 days";
        }
        else if (RefreshAt is not (>= 0.1 and <= 0.95))
        {
            yield return $"RefreshAt is {RefreshAt}: 0.1 to 0.95";
        }
        else
        {
            foreach (string error in RefreshRules.FindErrors(this))
            {
                yield return error;
            }
        }

        if (AskedWithin < TimeSpan.Zero || AskedWithin > TimeSpan.FromDays(366))
        {
            yield return $"AskedWithin is {AskedWithin}: 0 to 366 days";
        }

        if (PresignHashes.Count == 0 || PresignHashes.Distinct().Count() < PresignHashes.Count)
        {
            yield return $"PresignHashes is '{string.Join(", ", PresignHashes)}': at least one hash algorithm, each once";
        }

        if (RefreshSignaturesPerSecond is < 1 or > 1_000_000)
        {
            yield return $"RefreshSignaturesPerSecond is {RefreshSignaturesPerSecond}: 1 to 1000000";
        }

        if (VerifySample is not (>= 0 and <= 1))
        {
            yield return $"VerifySample is {VerifySample}: 0 to 1";
        }

        if (MaxAge < TimeSpan.Zero || MaxAge > Validity)
        {
            yield return $"MaxAge is {MaxAge}: 0 to Validity ({Validity})";
        }

        if (Backdate < TimeSpan.Zero || Backdate > TimeSpan.FromHours(1) || Backdate >= Validity * RefreshAt)
        {
            yield return $"Backdate is {Backdate}: 0 to 1 hour, and less than Validity × RefreshAt";
        }
    }
}
