using System.Formats.Asn1;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// What many answers have in common, kept once: issuer, signer, how long HTTP caches may keep them, the octets before producedAt and those behind the signature, of which the
/// responder's certificate is the larger part. Immutable; compared by content.
/// </summary>
internal sealed class ResponseClass : IEquatable<ResponseClass>
{
    private readonly byte[] _head;
    private readonly byte[] _tail;

    private ResponseClass(IssuerId issuer, SigningCredential credential, TimeSpan maxAge, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, int certIdOffset)
    {
        Issuer = issuer;
        Credential = credential;
        MaxAge = maxAge;
        MaxAgeSeconds = (long)maxAge.TotalSeconds;
        _head = head.ToArray();
        _tail = tail.ToArray();
        CertIdOffset = certIdOffset;
    }

    public IssuerId Issuer { get; }

    public SigningCredential Credential { get; }

    public TimeSpan MaxAge { get; }

    public long MaxAgeSeconds { get; }

    /// <summary>The octets that all begin with.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>The octets that all end with.</summary>
    public ReadOnlySpan<byte> Tail => _tail;

    /// <summary>Where in the octets between the two the CertID stands.</summary>
    public int CertIdOffset { get; }

    /// <summary>The class of an answer to one CertID; null when its octets are not as expected.</summary>
    public static ResponseClass? Of(IssuerId issuer, CachedResponse made)
    {
        ReadOnlySpan<byte> encoded = made.Response.Encoded.Span;
        return TryOutline(encoded, made.CertId.Span, out int head, out int certId, out int tail)
            ? new ResponseClass(issuer, made.Credential, made.Response.MaxAge, encoded[..head], encoded[tail..], certId - head)
            : null;
    }

    /// <summary>Whether an answer is of this class: it can be put together from it, and its CertID stands where it is looked for. Reads and copies nothing.</summary>
    public bool Fits(IssuerId issuer, CachedResponse made)
    {
        ReadOnlySpan<byte> encoded = made.Response.Encoded.Span;
        return ReferenceEquals(Credential, made.Credential) && MaxAge == made.Response.MaxAge && Issuer == issuer
            && encoded.Length >= _head.Length + CertIdOffset + made.CertId.Length + _tail.Length && encoded.StartsWith(_head) && encoded.EndsWith(_tail)
            && encoded[(_head.Length + CertIdOffset)..].StartsWith(made.CertId.Span);
    }

    public bool Equals(ResponseClass? other) =>
        other is not null && CertIdOffset == other.CertIdOffset && MaxAge == other.MaxAge && ReferenceEquals(Credential, other.Credential) && Issuer == other.Issuer
        && Head.SequenceEqual(other.Head) && Tail.SequenceEqual(other.Tail);

    public override bool Equals(object? obj) => Equals(obj as ResponseClass);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Head);
        hash.Add(Tail.Length);
        hash.Add(CertIdOffset);
        return hash.ToHashCode();
    }

    // OCSPResponse ::= SEQUENCE { ENUMERATED, [0] SEQUENCE { OID, OCTET STRING { SEQUENCE { tbsResponseData, AlgorithmIdentifier, BIT STRING, [0] certs } } } }
    // ResponseData ::= SEQUENCE { version [0] DEFAULT v1, ResponderID, producedAt GeneralizedTime, SEQUENCE OF SEQUENCE { CertID, … }, … }
    private static bool TryOutline(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> certId, out int head, out int certIdAt, out int tail)
    {
        (head, certIdAt, tail) = (0, 0, 0);
        try
        {
            int at = Open(encoded, 0, out _);
            at = Skip(encoded, at); // responseStatus
            at = Open(encoded, Open(encoded, at, out _), out _);
            at = Open(encoded, Skip(encoded, at), out _); // the OCTET STRING behind the OID
            int data = Open(encoded, at, out _); // BasicOCSPResponse
            int fields = Open(encoded, data, out _);
            fields = encoded[fields] == 0xA0 ? Skip(encoded, fields) : fields; // version
            head = Skip(encoded, fields); // responderID
            int responses = Skip(encoded, head); // producedAt
            certIdAt = Open(encoded, Open(encoded, responses, out _), out _);
            tail = Skip(encoded, Skip(encoded, Skip(encoded, data))); // behind the signature
            return tail <= encoded.Length && encoded[certIdAt..].StartsWith(certId);
        }
        catch (Exception e) when (e is AsnContentException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return false;
        }
    }

    private static int Open(ReadOnlySpan<byte> encoded, int at, out int length)
    {
        AsnDecoder.ReadEncodedValue(encoded[at..], AsnEncodingRules.DER, out int content, out length, out _);
        return at + content;
    }

    private static int Skip(ReadOnlySpan<byte> encoded, int at)
    {
        AsnDecoder.ReadEncodedValue(encoded[at..], AsnEncodingRules.DER, out _, out _, out int consumed);
        return at + consumed;
    }
}
