using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>A signed answer in the cache, and the status that it was made from. Only how long it is held, whether it is due and whether it was asked for change.</summary>
/// <param name="certId">The DER of the CertID that it answers.</param>
/// <param name="response">The answer.</param>
/// <param name="status">What the status source told when it was signed; null for a certificate that the source did not know.</param>
/// <param name="credential">Who signed.</param>
/// <param name="isDefault">Whether it is given to clients that prefer nothing.</param>
internal sealed class CachedResponse(ReadOnlyMemory<byte> certId, SignedResponse response, CertificateStatus? status, SigningCredential credential, bool isDefault)
{
    private long _heldUntil;
    private volatile bool _isMadeDue;
    private volatile bool _wasAsked = true; // somebody's request made it; else whoever made it says so

    /// <summary>The DER of the CertID that it answers, which tells apart the forms of one certificate's CertID.</summary>
    public ReadOnlyMemory<byte> CertId { get; } = certId;

    public SignedResponse Response { get; } = response;

    /// <summary>What the status source told when it was signed; null for a certificate that the source did not know.</summary>
    public CertificateStatus? Status { get; } = status;

    /// <summary>The journal position of that status; 0 where it comes from no journal.</summary>
    public long Position => Status?.Position ?? 0;

    public SigningCredential Credential { get; } = credential;

    public bool IsDefault { get; } = isDefault;

    /// <summary>Whether it comes from <see cref="KeptResponses"/>, and need not be kept again.</summary>
    public bool IsKept { get; init; }

    public bool IsRevoked => Status?.State is CertificateState.Revoked;

    /// <summary>Whether it answers a CertID for a client that prefers a credential; null prefers none.</summary>
    public bool Answers(ReadOnlySpan<byte> certId, SigningCredential? preferred) =>
        (preferred is null ? IsDefault : ReferenceEquals(Credential, preferred)) && CertId.Span.SequenceEqual(certId);

    /// <summary>Whether one of the two is enough: the same CertID, signed by the same credential or both for those who prefer nothing.</summary>
    public bool IsReplacedBy(CachedResponse newer) =>
        ((IsDefault && newer.IsDefault) || ReferenceEquals(Credential, newer.Credential)) && CertId.Span.SequenceEqual(newer.CertId.Span);

    /// <summary>The same answer for those who prefer nothing, too.</summary>
    public CachedResponse AsDefault() => IsDefault ? this : new CachedResponse(CertId, Response, Status, Credential, isDefault: true);

    /// <summary>Whether a client asked for it since it was signed.</summary>
    public bool WasAsked
    {
        get => _wasAsked;
        set
        {
            if (_wasAsked != value)
            {
                _wasAsked = value; // written once, not on every hit: the line stays shared between cores
            }
        }
    }

    /// <summary>Whether a newer one is wanted before its time.</summary>
    public bool IsMadeDue { get => _isMadeDue; set => _isMadeDue = value; }

    /// <summary>Whether a newer one is to be signed at the next request.</summary>
    public bool IsDue(DateTimeOffset now) => _isMadeDue || now >= Response.RefreshAt;

    /// <summary>Whether it may be given at a monotonic time without asking the status source again.</summary>
    public bool IsHeld(long timestamp) => timestamp < Volatile.Read(ref _heldUntil);

    /// <summary>Lets it be given until a monotonic time.</summary>
    public void HoldUntil(long timestamp) => Volatile.Write(ref _heldUntil, timestamp);
}
