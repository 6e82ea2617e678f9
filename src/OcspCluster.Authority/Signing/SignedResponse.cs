using System.Security.Cryptography;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>What a signed answer says of the certificate that it is about.</summary>
public enum AnswerKind
{
    /// <summary>good.</summary>
    Good,

    /// <summary>revoked, or on hold.</summary>
    Revoked,

    /// <summary>unknown.</summary>
    Unknown,

    /// <summary>It is about several certificates.</summary>
    Several,
}

/// <summary>The bytes of a signed answer and the times that say how long it may be given. Immutable.</summary>
public sealed class SignedResponse
{
    private byte[]? _digest;
    private long _thisUpdateTicks; // 0: not read yet
    private string? _entityTag;

    internal SignedResponse(ReadOnlyMemory<byte> encoded, DateTimeOffset producedAt, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, DateTimeOffset refreshAt, TimeSpan maxAge, AnswerKind says)
        : this(encoded, producedAt, nextUpdate, refreshAt, maxAge, says) => _thisUpdateTicks = thisUpdate.UtcTicks;

    /// <summary>One that was made before: what can be read from its bytes is read when it is asked for.</summary>
    internal SignedResponse(ReadOnlyMemory<byte> encoded, ReadOnlySpan<byte> digest, DateTimeOffset producedAt, DateTimeOffset nextUpdate, DateTimeOffset refreshAt, TimeSpan maxAge, AnswerKind says)
        : this(encoded, producedAt, nextUpdate, refreshAt, maxAge, says) => _digest = digest.ToArray();

    private SignedResponse(ReadOnlyMemory<byte> encoded, DateTimeOffset producedAt, DateTimeOffset nextUpdate, DateTimeOffset refreshAt, TimeSpan maxAge, AnswerKind says)
    {
        Encoded = encoded;
        ProducedAt = producedAt;
        NextUpdate = nextUpdate;
        RefreshAt = refreshAt;
        MaxAge = maxAge;
        Says = says;
    }

    /// <summary>The DER of the OCSPResponse.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>When it was signed.</summary>
    public DateTimeOffset ProducedAt { get; }

    /// <summary>When what it says was known to be right.</summary>
    public DateTimeOffset ThisUpdate
    {
        get
        {
            if (_thisUpdateTicks == 0)
            {
                _thisUpdateTicks = OcspResponse.Decode(Encoded).Basic!.Data.Responses[0].ThisUpdate.UtcTicks;
            }

            return new DateTimeOffset(_thisUpdateTicks, TimeSpan.Zero);
        }
    }

    /// <summary>After this it is never given.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <summary>After this a newer one is signed at the next request.</summary>
    public DateTimeOffset RefreshAt { get; }

    /// <summary>The longest that HTTP caches may keep it; zero for an answer that nobody else could use.</summary>
    public TimeSpan MaxAge { get; }

    /// <summary>What it says, for those who count answers.</summary>
    public AnswerKind Says { get; }

    /// <summary>Its HTTP entity tag: the quoted SHA-256 of the bytes in lower-case hexadecimal (RFC 9919 §7.2), the same wherever the same bytes are.</summary>
    public string EntityTag => _entityTag ??= $"\"{Convert.ToHexStringLower(Digest)}\"";

    /// <summary>The SHA-256 of the bytes, made when it is first asked for: an answer with a nonce has no use for it.</summary>
    internal ReadOnlySpan<byte> Digest => _digest ??= SHA256.HashData(Encoded.Span);
}
