using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// A signed answer that is to be put into the cache, or was found there, and the status that it was made from. Only how long it is held, whether it is due and whether it was asked for
/// change; for one that is in the cache, they change there, too.
/// </summary>
/// <param name="certId">The DER of the CertID that it answers.</param>
/// <param name="response">The answer.</param>
/// <param name="status">What the status source told when it was signed; null for a certificate that the source did not know.</param>
/// <param name="credential">Who signed.</param>
/// <param name="isDefault">Whether it is given to clients that prefer nothing.</param>
internal sealed class CachedResponse(ReadOnlyMemory<byte> certId, SignedResponse response, CertificateStatus? status, SigningCredential credential, bool isDefault)
{
    private readonly long _refreshAt = response.RefreshAt.ToUnixTimeSeconds();
    private long _heldUntil;
    private volatile bool _isMadeDue;
    private volatile bool _wasAsked = true; // somebody's request made it; else whoever made it says so
    private ResponseCache? _home;
    private IssuerId _issuer;

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

    /// <summary>The same answer for those who prefer nothing, too.</summary>
    public CachedResponse AsDefault() => IsDefault ? this : new CachedResponse(CertId, Response, Status, Credential, isDefault: true);

    /// <summary>Whether a client asked for it since it was signed.</summary>
    public bool WasAsked
    {
        get => _wasAsked;
        set
        {
            _wasAsked = value;
            _home?.Update(_issuer, this, static (record, answer) => record.WasAsked = answer.WasAsked);
        }
    }

    /// <summary>Whether a newer one is wanted before its time.</summary>
    public bool IsMadeDue
    {
        get => _isMadeDue;
        set
        {
            _isMadeDue = value;
            _home?.Update(_issuer, this, static (record, answer) => record.IsMadeDue = answer.IsMadeDue);
        }
    }

    /// <summary>Until when it may be given without asking the status source again; the cache sets it.</summary>
    public long HeldUntil
    {
        get => Volatile.Read(ref _heldUntil);
        set => Volatile.Write(ref _heldUntil, value);
    }

    /// <summary>Whether a newer one is to be signed at the next request.</summary>
    public bool IsDue(DateTimeOffset now) => _isMadeDue || now.ToUnixTimeSeconds() >= _refreshAt;

    /// <summary>Whether it may be given at a monotonic time without asking the status source again.</summary>
    public bool IsHeld(long timestamp) => timestamp < HeldUntil;

    /// <summary>What lies in the cache.</summary>
    public static CachedResponse Of(ResponseCache home, CacheRecord record, ReadOnlySpan<byte> certId)
    {
        byte[] encoded = new byte[record.Length];
        record.CopyTo(encoded);
        CachedResponse found = new(
            certId.ToArray(), new SignedResponse(encoded, record.Digest, Time(record.ProducedAt), Time(record.NextUpdate), Time(record.RefreshAt), record.Class.MaxAge, record.Says),
            StatusCode.Read(record.Status), record.Class.Credential, record.IsDefault)
        {
            IsKept = record.IsKept,
            _isMadeDue = record.IsMadeDue,
            _wasAsked = record.WasAsked,
            _heldUntil = record.HeldUntil,
        };
        return found.At(home, record.Class.Issuer);
    }

    /// <summary>Lets what changes be changed in the cache, too.</summary>
    public CachedResponse At(ResponseCache home, IssuerId issuer)
    {
        _issuer = issuer;
        _home = home;
        return this;
    }

    private static DateTimeOffset Time(uint seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
