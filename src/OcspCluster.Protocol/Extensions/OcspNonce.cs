using System.Formats.Asn1;
using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>
/// Binds a response to the request that asked for it (id-pkix-ocsp-nonce, RFC 9654 §2.1): 1 to 128 octets. Immutable; compared by value.
/// </summary>
public sealed class OcspNonce : IEquatable<OcspNonce>
{
    /// <summary>The OID of the extension.</summary>
    public const string ExtensionOid = Oids.OcspNonce;

    /// <summary>How long the nonces are that <see cref="Create()"/> makes: what RFC 9654 §2.1 asks of clients.</summary>
    public const int DefaultLengthBytes = 32;

    private OcspNonce(ReadOnlyMemory<byte> value, bool isRaw)
    {
        Value = value;
        IsRaw = isRaw;
    }

    /// <summary>The octets of the nonce.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>Whether it was read from an extension without the OCTET STRING that RFC 9654 §2.1 puts around it; then it is written so, too.</summary>
    public bool IsRaw { get; }

    /// <summary>Makes a nonce of 32 octets from the system's random number generator.</summary>
    public static OcspNonce Create() => new(RandomNumberGenerator.GetBytes(DefaultLengthBytes), isRaw: false);

    /// <summary>Takes the octets of a nonce.</summary>
    /// <exception cref="ArgumentException">It is not 1 to 128 octets long.</exception>
    public static OcspNonce Create(ReadOnlyMemory<byte> value) => value.Length is >= 1 and <= 128
        ? new OcspNonce(value, isRaw: false)
        : throw new ArgumentException("A nonce is 1 to 128 octets long (RFC 9654 §2.1).", nameof(value));

    /// <summary>The extension that carries it, never critical.</summary>
    public OcspExtension ToExtension()
    {
        if (IsRaw)
        {
            return new OcspExtension(ExtensionOid, Value);
        }

        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteOctetString(Value.Span);
        return new OcspExtension(ExtensionOid, writer.Encode());
    }

    // Nonce ::= OCTET STRING (SIZE(1..128)), inside the OCTET STRING extnValue
    internal static OcspNonce? Read(OcspExtensionCollection extensions, DecodeOptions options)
    {
        if (extensions.Find(ExtensionOid) is not OcspExtension extension)
        {
            return null;
        }

        bool isRaw = !TryReadOctetString(extension.Value, out ReadOnlyMemory<byte> value);
        if (isRaw)
        {
            value = options.AcceptRawNonce ? extension.Value : throw Invalid("is not an OCTET STRING");
        }

        return value.Length >= 1 && value.Length <= options.MaxNonceBytes
            ? new OcspNonce(value, isRaw)
            : throw Invalid($"is {value.Length} octets long; 1 to {options.MaxNonceBytes} are allowed");
    }

    private static OcspFormatException Invalid(string what) => new(DecodeError.InvalidNonce, $"The nonce {what} (RFC 9654 §2.1).");

    // A nonce that is longer than one length octet can say is too long anyhow.
    private static bool TryReadOctetString(ReadOnlyMemory<byte> encoded, out ReadOnlyMemory<byte> value)
    {
        int header = encoded.Span switch
        {
            [0x04, < 0x80, ..] when encoded.Length == 2 + encoded.Span[1] => 2,
            [0x04, 0x81, >= 0x80, ..] when encoded.Length == 3 + encoded.Span[2] => 3,
            _ => 0,
        };
        value = encoded[header..];
        return header > 0;
    }

    /// <inheritdoc/>
    public bool Equals(OcspNonce? other) => other is not null && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OcspNonce);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Value.Span);
        return hash.ToHashCode();
    }

    /// <summary>Hexadecimal.</summary>
    public override string ToString() => Convert.ToHexString(Value.Span);
}
