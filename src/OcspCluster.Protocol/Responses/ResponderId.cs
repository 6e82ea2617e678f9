using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// Who signed (ResponderID, RFC 6960 §4.2.1): by name, or by the SHA-1 hash of the public key, whatever hash the CertIDs use. Immutable; compared by value.
/// </summary>
public sealed class ResponderId : IEquatable<ResponderId>
{
    private readonly byte[] _value;
    private byte[]? _encoded;

    private ResponderId(byte[] value, bool isByKey)
    {
        _value = value;
        IsByKey = isByKey;
    }

    /// <summary>Whether it is the hash of a key; else it is a name.</summary>
    public bool IsByKey { get; }

    /// <summary>SHA-1 of the key's BIT STRING content, 20 octets; empty when it is a name.</summary>
    public ReadOnlyMemory<byte> KeyHash => IsByKey ? _value : default;

    /// <summary>The name; null when it is a key.</summary>
    public X500DistinguishedName? Name => IsByKey ? null : new X500DistinguishedName(_value);

    /// <summary>By the key of a certificate.</summary>
    public static ResponderId ByKey(X509Certificate2 responder)
    {
        ArgumentNullException.ThrowIfNull(responder);
        return new ResponderId(CertIdHash.Sha1.Compute(responder.PublicKey.EncodedKeyValue.RawData), isByKey: true);
    }

    /// <summary>By the hash of a key.</summary>
    /// <exception cref="ArgumentException">It is not 20 octets long.</exception>
    public static ResponderId ByKey(ReadOnlySpan<byte> keyHash) => keyHash.Length == SHA1.HashSizeInBytes
        ? new ResponderId(keyHash.ToArray(), isByKey: true)
        : throw new ArgumentException("A KeyHash is SHA-1: 20 octets.", nameof(keyHash));

    /// <summary>By the subject of a certificate, byte for byte.</summary>
    public static ResponderId ByName(X509Certificate2 responder)
    {
        ArgumentNullException.ThrowIfNull(responder);
        return new ResponderId(responder.SubjectName.RawData, isByKey: false);
    }

    /// <summary>Whether it denotes this certificate (RFC 6960 §4.2.2.3).</summary>
    public bool Denotes(X509Certificate2 certificate) => Equals(IsByKey ? ByKey(certificate) : ByName(certificate));

    internal bool Denotes(CertificateFields certificate) => IsByKey
        ? CertIdHash.Sha1.Compute(certificate.PublicKey.EncodedKeyValue.RawData).AsSpan().SequenceEqual(_value)
        : certificate.Subject.Span.SequenceEqual(_value);

    // ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT KeyHash }
    // KeyHash ::= OCTET STRING -- SHA-1 hash of responder's public key
    internal static ResponderId Read(AsnReader reader)
    {
        if (reader.HasExplicit(2))
        {
            AsnReader byKey = reader.ReadExplicit(2);
            byte[] keyHash = byKey.ReadOctetString();
            byKey.End();
            return keyHash.Length == SHA1.HashSizeInBytes
                ? new ResponderId(keyHash, isByKey: true)
                : throw new OcspFormatException(DecodeError.InvalidResponderId, "A KeyHash is SHA-1: 20 octets.");
        }

        AsnReader byName = reader.ReadExplicit(1);
        X500DistinguishedName name = GeneralName.ReadName(byName);
        byName.End();
        return new ResponderId(name.RawData, isByKey: false);
    }

    // The DER: a responder has one or two of these, and each answer has one of them.
    internal ReadOnlyMemory<byte> Encoded => _encoded ??= Encode();

    private byte[] Encode()
    {
        DerBackWriter writer = new(new byte[_value.Length + (2 * DerBackWriter.MaxHeaderBytes)]);
        int end = writer.Mark;
        writer.Write(_value);
        if (IsByKey)
        {
            writer.WriteHeader(DerBackWriter.OctetString, end);
        }

        writer.WriteHeader(DerBackWriter.Constructed(IsByKey ? 2 : 1), end);
        return writer.Written.ToArray();
    }

    /// <inheritdoc/>
    public bool Equals(ResponderId? other) => other is not null && IsByKey == other.IsByKey && _value.AsSpan().SequenceEqual(other._value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ResponderId);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(_value);
        return hash.ToHashCode();
    }

    /// <summary>The name, or the hash in hexadecimal.</summary>
    public override string ToString() => IsByKey ? Convert.ToHexString(_value) : NameText.Of(_value);
}
