using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Names one certificate by issuer hashes and serial number (CertID, RFC 6960 §4.1.1). Immutable.</summary>
/// <remarks>
/// Two are equal when they name the same certificate by the same hash algorithm, whether its parameters are NULL or absent (RFC 5754 §2).
/// <see cref="Encoded"/> keeps which of the two forms was read, because an answer echoes it.
/// </remarks>
public sealed class CertId : IEquatable<CertId>
{
    private CertId(AlgorithmIdentifier hashAlgorithm, ReadOnlyMemory<byte> issuerNameHash, ReadOnlyMemory<byte> issuerKeyHash, SerialNumber serialNumber, ReadOnlyMemory<byte> encoded)
    {
        HashAlgorithm = hashAlgorithm;
        IssuerNameHash = issuerNameHash;
        IssuerKeyHash = issuerKeyHash;
        SerialNumber = serialNumber;
        Encoded = encoded;
    }

    /// <summary>The hash algorithm of both hashes; its parameters are NULL or absent.</summary>
    public AlgorithmIdentifier HashAlgorithm { get; }

    /// <summary>The hash of the DER of the issuer's name.</summary>
    public ReadOnlyMemory<byte> IssuerNameHash { get; }

    /// <summary>The hash of the issuer's public key: the content of its BIT STRING without tag, length and unused-bits octet.</summary>
    public ReadOnlyMemory<byte> IssuerKeyHash { get; }

    /// <summary>The certificate's serial number.</summary>
    public SerialNumber SerialNumber { get; }

    /// <summary>The DER.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Names a certificate by itself and its issuer's certificate.</summary>
    /// <param name="certificate">The certificate asked about.</param>
    /// <param name="issuer">The certificate of the CA that issued it.</param>
    /// <param name="hash">The hash algorithm; SHA-1 where none is given, which every responder understands.</param>
    /// <param name="nullParameters">Whether the algorithm's parameters are NULL (the default, as most clients write it) or absent.</param>
    /// <exception cref="ArgumentException">The certificate does not name this issuer.</exception>
    public static CertId Create(X509Certificate2 certificate, X509Certificate2 issuer, CertIdHash? hash = null, bool nullParameters = true)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(issuer);
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData))
        {
            throw new ArgumentException($"The certificate was issued by '{certificate.Issuer}', not by '{issuer.Subject}'.", nameof(issuer));
        }

        return Create(issuer, SerialNumber.FromCertificate(certificate), hash, nullParameters);
    }

    /// <summary>Names a certificate by its issuer's certificate and its serial number.</summary>
    public static CertId Create(X509Certificate2 issuer, SerialNumber serialNumber, CertIdHash? hash = null, bool nullParameters = true)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        hash ??= CertIdHash.Sha1;
        return Create(hash, hash.Compute(issuer.SubjectName.RawData), hash.Compute(issuer.PublicKey.EncodedKeyValue.RawData), serialNumber, nullParameters);
    }

    /// <summary>Names a certificate by the hashes of its issuer and its serial number.</summary>
    /// <exception cref="ArgumentException">A hash has not the algorithm's length, or there is no serial number.</exception>
    public static CertId Create(CertIdHash hash, ReadOnlyMemory<byte> issuerNameHash, ReadOnlyMemory<byte> issuerKeyHash, SerialNumber serialNumber, bool nullParameters = true)
    {
        ArgumentNullException.ThrowIfNull(hash);
        if (issuerNameHash.Length != hash.SizeInBytes || issuerKeyHash.Length != hash.SizeInBytes)
        {
            throw new ArgumentException($"A {hash.Name} hash has {hash.SizeInBytes} octets.");
        }

        if (serialNumber.IsEmpty)
        {
            throw new ArgumentException("A CertID names a serial number.", nameof(serialNumber));
        }

        AlgorithmIdentifier algorithm = nullParameters ? AlgorithmIdentifier.WithNull(hash.Oid) : new AlgorithmIdentifier(hash.Oid);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            algorithm.Write(writer);
            writer.WriteOctetString(issuerNameHash.Span);
            writer.WriteOctetString(issuerKeyHash.Span);
            Der.WriteSerialNumber(writer, serialNumber);
        }

        return new CertId(algorithm, issuerNameHash, issuerKeyHash, serialNumber, writer.Encode());
    }

    // CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
    //                       issuerKeyHash OCTET STRING, serialNumber CertificateSerialNumber }
    internal static CertId Read(AsnReader reader)
    {
        ReadOnlyMemory<byte> encoded = reader.PeekEncodedValue();
        AsnReader certId = reader.ReadSequence();
        AlgorithmIdentifier hashAlgorithm = AlgorithmIdentifier.Read(certId);
        if (!hashAlgorithm.Parameters.IsEmpty && !hashAlgorithm.HasNullParameters)
        {
            throw new OcspFormatException(DecodeError.UnsupportedParameters, "A hash algorithm in a CertID has NULL parameters or none.");
        }

        byte[] issuerNameHash = certId.ReadOctetString();
        byte[] issuerKeyHash = certId.ReadOctetString();
        if (CertIdHash.SizeOf(hashAlgorithm.Oid) is int size && (issuerNameHash.Length != size || issuerKeyHash.Length != size))
        {
            throw new OcspFormatException(DecodeError.HashLengthMismatch, $"A hash of {hashAlgorithm.Oid} has {size} octets.");
        }

        SerialNumber serialNumber = Der.ReadSerialNumber(certId); // any length: an unknown serial is answered, not rejected
        certId.End();
        return new CertId(hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, encoded);
    }

    /// <summary>Reads a CertID from its DER.</summary>
    /// <exception cref="OcspFormatException">The bytes are not a CertID.</exception>
    public static CertId Decode(ReadOnlyMemory<byte> encoded) => Der.Read(encoded, static bytes =>
    {
        AsnReader reader = new(bytes, AsnEncodingRules.DER);
        CertId certId = Read(reader);
        reader.End();
        return certId;
    });

    /// <inheritdoc/>
    public bool Equals(CertId? other) =>
        other is not null
        && HashAlgorithm.Oid == other.HashAlgorithm.Oid
        && SerialNumber == other.SerialNumber
        && IssuerNameHash.Span.SequenceEqual(other.IssuerNameHash.Span)
        && IssuerKeyHash.Span.SequenceEqual(other.IssuerKeyHash.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CertId);

    /// <inheritdoc/>
    public override int GetHashCode() => SerialNumber.GetHashCode();

    /// <summary>The serial number and the hash algorithm.</summary>
    public override string ToString() => $"{SerialNumber} ({HashAlgorithm.Oid})";
}
