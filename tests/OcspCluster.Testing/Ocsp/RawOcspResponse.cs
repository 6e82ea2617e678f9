using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OcspCluster.Testing;

/// <summary>CertStatus, by its context tag (RFC 6960 §4.2.1).</summary>
public enum RawCertStatus
{
    Good = 0,
    Revoked = 1,
    Unknown = 2,
}

/// <summary>A SingleResponse as it stood on the wire. Octets named after a field are its whole TLV, explicit tag included.</summary>
public sealed record RawSingleResponse
{
    public required byte[] CertId { get; init; }

    /// <summary>The content octets of the CertID's serial number.</summary>
    public required byte[] Serial { get; init; }

    public required byte[] CertStatus { get; init; }

    public required RawCertStatus Status { get; init; }

    /// <summary>The text of revocationTime.</summary>
    public string? RevocationTime { get; init; }

    public int? Reason { get; init; }

    /// <summary>The TLV of thisUpdate.</summary>
    public required byte[] ThisUpdate { get; init; }

    /// <summary>The TLV of nextUpdate with its [0].</summary>
    public byte[]? NextUpdate { get; init; }

    /// <summary>Null: the field is absent.</summary>
    public IReadOnlyList<RawExtension>? Extensions { get; init; }

    /// <summary>The time that the text of thisUpdate says.</summary>
    public DateTimeOffset ThisUpdateTime => RawOcspResponse.ReadTime(ThisUpdate);

    /// <summary>The time that the text of nextUpdate says.</summary>
    public DateTimeOffset? NextUpdateTime => NextUpdate is null ? null : RawOcspResponse.ReadTime(NextUpdate.AsMemory(2));

    internal byte[] Encode() => Der.Sequence(
        CertId,
        CertStatus,
        ThisUpdate,
        NextUpdate ?? [],
        Extensions is null ? [] : Der.Explicit(1, RawOcspRequest.EncodeExtensions(Extensions)));
}

/// <summary>
/// An OCSPResponse read strictly as DER, by nothing of the code under test, and kept as it stood on the wire (RFC 6960 §4.2.1).
/// </summary>
public sealed record RawOcspResponse
{
    /// <summary>All octets.</summary>
    public required byte[] Encoded { get; init; }

    /// <summary>responseStatus: 0 successful, 1 malformedRequest, 2 internalError, 3 tryLater, 5 sigRequired, 6 unauthorized.</summary>
    public required int Status { get; init; }

    /// <summary>The octets that were signed: tbsResponseData.</summary>
    public byte[] Tbs { get; init; } = [];

    /// <summary>ResponderID with its tag: A1 byName, A2 byKey.</summary>
    public byte[] ResponderId { get; init; } = [];

    /// <summary>The TLV of producedAt.</summary>
    public byte[] ProducedAt { get; init; } = [];

    public IReadOnlyList<RawSingleResponse> Singles { get; init; } = [];

    /// <summary>responseExtensions; null: the field is absent.</summary>
    public IReadOnlyList<RawExtension>? Extensions { get; init; }

    /// <summary>The TLV of signatureAlgorithm.</summary>
    public byte[] SignatureAlgorithm { get; init; } = [];

    public byte[] Signature { get; init; } = [];

    /// <summary>certs; null: the field is absent.</summary>
    public IReadOnlyList<byte[]>? Certificates { get; init; }

    /// <summary>The time that the text of producedAt says.</summary>
    public DateTimeOffset ProducedAtTime => ReadTime(ProducedAt);

    /// <summary>The content of the nonce's OCTET STRING; null when there is no nonce.</summary>
    public byte[]? Nonce => Extensions?.SingleOrDefault(extension => extension.Oid == OcspOids.Nonce) is { } nonce
        ? new AsnReader(nonce.Value, AsnEncodingRules.DER).ReadOctetString()
        : null;

    /// <summary>Reads a response.</summary>
    /// <exception cref="InvalidDataException">It is not DER, or not an OCSPResponse.</exception>
    public static RawOcspResponse Parse(byte[] encoded)
    {
        try
        {
            return Read(encoded);
        }
        catch (AsnContentException e)
        {
            throw new InvalidDataException($"Not an OCSPResponse in DER: {e.Message} {Convert.ToHexString(encoded)}", e);
        }
    }

    /// <summary>Whether the signature is by the key of this certificate.</summary>
    public bool IsSignedBy(X509Certificate2 signer) => SignatureCheck.Verify(SignatureAlgorithm, Tbs, Signature, signer.PublicKey);

    /// <summary>Whether the ResponderID denotes this certificate.</summary>
    public bool Denotes(X509Certificate2 signer) => ResponderId is [0xA2, ..]
        ? ResponderId.AsSpan().SequenceEqual(Der.Explicit(2, Der.OctetString(RawCertId.Hash(OcspOids.Sha1, signer.PublicKey.EncodedKeyValue.RawData))))
        : ResponderId.AsSpan().SequenceEqual(Der.Explicit(1, signer.SubjectName.RawData));

    /// <summary>Writes the response again from what was read: equal to <see cref="Encoded"/> exactly when nothing stood there that DER leaves out.</summary>
    public byte[] Reencode()
    {
        byte[] status = Der.Tlv(0x0A, [(byte)Status]);
        if (Status != 0)
        {
            return Der.Sequence(status);
        }

        byte[] tbs = Der.Sequence(
            ResponderId,
            ProducedAt,
            Der.Sequence([.. Singles.Select(single => single.Encode())]),
            Extensions is null ? [] : Der.Explicit(1, RawOcspRequest.EncodeExtensions(Extensions)));
        byte[] basic = Der.Sequence(
            tbs,
            SignatureAlgorithm,
            Der.BitString(Signature),
            Certificates is null ? [] : Der.Explicit(0, Der.Sequence([.. Certificates])));
        return Der.Sequence(status, Der.Explicit(0, Der.Sequence(Der.Oid(OcspOids.Basic), Der.OctetString(basic))));
    }

    // GeneralizedTime in the one form that RFC 5280 §4.1.2.5.2 allows: YYYYMMDDHHMMSSZ.
    internal static DateTimeOffset ReadTime(ReadOnlyMemory<byte> tlv) => ParseTime(Encoding.ASCII.GetString(tlv.Span[2..]));

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.TryParseExact(text, "yyyyMMddHHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : throw new InvalidDataException($"Not a time of RFC 5280 §4.1.2.5.2: '{text}'.");

    private static RawOcspResponse Read(byte[] encoded)
    {
        AsnReader outer = new(encoded, AsnEncodingRules.DER);
        AsnReader response = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        ReadOnlyMemory<byte> status = response.ReadEnumeratedBytes();
        if (status.Length != 1 || status.Span[0] is not (0 or 1 or 2 or 3 or 5 or 6))
        {
            throw new InvalidDataException($"No such responseStatus: {Convert.ToHexString(status.Span)}.");
        }

        if (status.Span[0] != 0)
        {
            response.ThrowIfNotEmpty();
            return new RawOcspResponse { Encoded = encoded, Status = status.Span[0] };
        }

        AsnReader explicitBytes = response.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        response.ThrowIfNotEmpty();
        AsnReader responseBytes = explicitBytes.ReadSequence();
        explicitBytes.ThrowIfNotEmpty();
        if (responseBytes.ReadObjectIdentifier() != OcspOids.Basic)
        {
            throw new InvalidDataException("responseType is not id-pkix-ocsp-basic.");
        }

        byte[] basicBytes = responseBytes.ReadOctetString();
        responseBytes.ThrowIfNotEmpty();
        AsnReader basicOuter = new(basicBytes, AsnEncodingRules.DER);
        AsnReader basic = basicOuter.ReadSequence();
        basicOuter.ThrowIfNotEmpty();

        RawOcspResponse read = ReadResponseData(encoded, basic.ReadEncodedValue().ToArray());
        byte[] algorithm = basic.ReadEncodedValue().ToArray();
        byte[] signature = basic.ReadBitString(out int unusedBits);
        if (unusedBits != 0)
        {
            throw new InvalidDataException("A signature with unused bits.");
        }

        List<byte[]>? certificates = null;
        if (basic.HasData)
        {
            AsnReader explicitCertificates = basic.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            AsnReader list = explicitCertificates.ReadSequence();
            explicitCertificates.ThrowIfNotEmpty();
            certificates = [];
            while (list.HasData)
            {
                certificates.Add(list.ReadEncodedValue().ToArray());
            }
        }

        basic.ThrowIfNotEmpty();
        return read with { SignatureAlgorithm = algorithm, Signature = signature, Certificates = certificates };
    }

    private static RawOcspResponse ReadResponseData(byte[] encoded, byte[] tbs)
    {
        AsnReader data = new AsnReader(tbs, AsnEncodingRules.DER).ReadSequence();
        if (data.PeekTag().TagValue == 0)
        {
            throw new InvalidDataException("ResponseData.version is written out, though v1 is its default.");
        }

        byte[] responderId = data.ReadEncodedValue().ToArray();
        byte[] producedAt = ReadTimeTlv(data);
        AsnReader responses = data.ReadSequence();
        List<RawSingleResponse> singles = [];
        while (responses.HasData)
        {
            singles.Add(ReadSingle(responses.ReadSequence()));
        }

        IReadOnlyList<RawExtension>? extensions = ReadExtensions(data);
        data.ThrowIfNotEmpty();
        return new RawOcspResponse
        {
            Encoded = encoded,
            Status = 0,
            Tbs = tbs,
            ResponderId = responderId,
            ProducedAt = producedAt,
            Singles = singles,
            Extensions = extensions,
        };
    }

    private static RawSingleResponse ReadSingle(AsnReader single)
    {
        byte[] certId = single.ReadEncodedValue().ToArray();
        AsnReader certIdReader = new AsnReader(certId, AsnEncodingRules.DER).ReadSequence();
        certIdReader.ReadSequence();
        certIdReader.ReadOctetString();
        certIdReader.ReadOctetString();
        byte[] serial = certIdReader.ReadIntegerBytes().ToArray();
        certIdReader.ThrowIfNotEmpty();

        byte[] status = single.ReadEncodedValue().ToArray();
        (string? revocationTime, int? reason) = ReadStatus(status);
        byte[] thisUpdate = ReadTimeTlv(single);
        byte[]? nextUpdate = null;
        if (single.HasData && single.PeekTag() is { TagClass: TagClass.ContextSpecific, TagValue: 0 })
        {
            nextUpdate = single.PeekEncodedValue().ToArray();
            AsnReader explicitTime = single.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            ReadTimeTlv(explicitTime);
            explicitTime.ThrowIfNotEmpty();
        }

        IReadOnlyList<RawExtension>? extensions = ReadExtensions(single);
        single.ThrowIfNotEmpty();
        return new RawSingleResponse
        {
            CertId = certId,
            Serial = serial,
            CertStatus = status,
            Status = (RawCertStatus)(status[0] & 0x1F),
            RevocationTime = revocationTime,
            Reason = reason,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
            Extensions = extensions,
        };
    }

    private static (string? RevocationTime, int? Reason) ReadStatus(byte[] status)
    {
        if (status is [0x80 or 0x82, 0x00])
        {
            return (null, null);
        }

        if (status[0] != 0xA1)
        {
            throw new InvalidDataException($"No such CertStatus: {Convert.ToHexString(status)}.");
        }

        AsnReader info = new AsnReader(status, AsnEncodingRules.DER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 1));
        string time = Encoding.ASCII.GetString(ReadTimeTlv(info).AsSpan(2));
        int? reason = null;
        if (info.HasData)
        {
            AsnReader explicitReason = info.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            reason = explicitReason.ReadEnumeratedBytes().Span[0];
            explicitReason.ThrowIfNotEmpty();
        }

        info.ThrowIfNotEmpty();
        return (time, reason);
    }

    private static byte[] ReadTimeTlv(AsnReader reader)
    {
        byte[] tlv = reader.ReadEncodedValue().ToArray();
        if (tlv is not [0x18, 0x0F, ..])
        {
            throw new InvalidDataException($"Not a GeneralizedTime of 15 octets: {Convert.ToHexString(tlv)}.");
        }

        ReadTime(tlv);
        return tlv;
    }

    private static List<RawExtension>? ReadExtensions(AsnReader reader)
    {
        if (!reader.HasData)
        {
            return null;
        }

        AsnReader tagged = reader.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 1));
        AsnReader list = tagged.ReadSequence();
        tagged.ThrowIfNotEmpty();
        List<RawExtension> extensions = [];
        while (list.HasData)
        {
            AsnReader extension = list.ReadSequence();
            string oid = extension.ReadObjectIdentifier();
            bool critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            extensions.Add(new RawExtension(oid, extension.ReadOctetString(), critical));
            extension.ThrowIfNotEmpty();
        }

        return extensions;
    }
}
