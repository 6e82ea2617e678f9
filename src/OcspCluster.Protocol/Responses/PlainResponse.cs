namespace OcspCluster.Protocol;

/// <summary>
/// Reads the plain answer, which nearly all are, from its octets and builds no object: signed, for one certificate, with nextUpdate, without extensions. It takes nothing that <see cref="OcspResponse"/> refuses, but
/// for what it leaves to its caller to compare with octets that are known: ResponderID, CertID, signature algorithm and certificates. What is not plain, or not certainly right, is for <see cref="OcspResponse"/> to judge.
/// </summary>
internal readonly ref struct PlainResponse
{
    private const byte ObjectIdentifier = 0x06;

    private PlainResponse(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signatureAlgorithm, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> certificates)
    {
        Data = data;
        SignatureAlgorithm = signatureAlgorithm;
        Signature = signature;
        Certificates = certificates;
    }

    private static ReadOnlySpan<byte> OcspBasic => [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

    /// <summary>The exact bytes that the signature covers (tbsResponseData).</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>The DER of the signature algorithm.</summary>
    public ReadOnlySpan<byte> SignatureAlgorithm { get; }

    /// <summary>The signature.</summary>
    public ReadOnlySpan<byte> Signature { get; }

    /// <summary>The certificates, one after the other; empty when there are none.</summary>
    public ReadOnlySpan<byte> Certificates { get; }

    /// <summary>The DER of who signed.</summary>
    public ReadOnlySpan<byte> ResponderId { get; private init; }

    /// <summary>When it was signed.</summary>
    public DateTimeOffset ProducedAt { get; private init; }

    /// <summary>The DER of the certificate's CertID.</summary>
    public ReadOnlySpan<byte> CertId { get; private init; }

    /// <summary>The certificate's status.</summary>
    public CertStatus Status { get; private init; } = CertStatus.Unknown;

    /// <summary>When the status was known to be right.</summary>
    public DateTimeOffset ThisUpdate { get; private init; }

    /// <summary>When there will be newer information at the latest.</summary>
    public DateTimeOffset NextUpdate { get; private init; }

    /// <summary>Reads an answer; false when it is not plain, or not right.</summary>
    public static bool TryRead(ReadOnlySpan<byte> encoded, out PlainResponse response)
    {
        // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING } }
        response = default;
        Octets message = new(encoded);
        message = message.Take(DerBackWriter.Sequence, isLast: true);
        ReadOnlySpan<byte> status = message.Take(DerBackWriter.Enumerated).Rest;
        Octets responseBytes = message.Take(DerBackWriter.Constructed(0), isLast: true).Take(DerBackWriter.Sequence, isLast: true);
        ReadOnlySpan<byte> type = responseBytes.Take(ObjectIdentifier).Rest;
        Octets basic = responseBytes.Take(DerBackWriter.OctetString, isLast: true).Take(DerBackWriter.Sequence, isLast: true);
        return status is [0] && type.SequenceEqual(OcspBasic) && TryReadBasic(basic, out response);
    }

    // BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
    private static bool TryReadBasic(Octets basic, out PlainResponse response)
    {
        ReadOnlySpan<byte> data = basic.TakeWhole(DerBackWriter.Sequence);
        ReadOnlySpan<byte> algorithm = basic.TakeWhole(DerBackWriter.Sequence);
        ReadOnlySpan<byte> signature = basic.Take(DerBackWriter.BitString).Rest;
        ReadOnlySpan<byte> certificates = default;
        if (!basic.IsEmpty)
        {
            certificates = basic.Take(DerBackWriter.Constructed(0), isLast: true).Take(DerBackWriter.Sequence, isLast: true).Rest;
            if (certificates.IsEmpty)
            {
                response = default;
                return false;
            }
        }

        response = default;
        return signature is [0, _, ..] && TryReadData(new PlainResponse(data, algorithm, signature[1..], certificates), ref response);
    }

    // ResponseData ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
    //                             responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
    // SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
    //                               nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
    private static bool TryReadData(PlainResponse basic, ref PlainResponse response)
    {
        Octets data = new Octets(basic.Data).Take(DerBackWriter.Sequence, isLast: true);
        bool isByKey = data.Next == DerBackWriter.Constructed(2);
        ReadOnlySpan<byte> responderId = data.TakeWhole(DerBackWriter.Constructed(isByKey ? 2 : 1));
        bool isRight = data.TryTakeTime(out DateTimeOffset producedAt);
        Octets single = data.Take(DerBackWriter.Sequence, isLast: true).Take(DerBackWriter.Sequence, isLast: true);
        ReadOnlySpan<byte> certId = single.TakeWhole(DerBackWriter.Sequence);
        CertStatus? status = ReadStatus(ref single);
        isRight &= single.TryTakeTime(out DateTimeOffset thisUpdate);
        Octets field = single.Take(DerBackWriter.Constructed(0), isLast: true);
        isRight &= field.TryTakeTime(out DateTimeOffset nextUpdate) && field.IsEmpty;
        if (!isRight || status is null || responderId.IsEmpty || certId.IsEmpty)
        {
            return false;
        }

        response = new PlainResponse(basic.Data, basic.SignatureAlgorithm, basic.Signature, basic.Certificates)
        {
            ResponderId = responderId,
            ProducedAt = producedAt,
            CertId = certId,
            Status = status,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
        };
        return true;
    }

    // CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }, unknown [2] IMPLICIT NULL }
    private static CertStatus? ReadStatus(ref Octets single)
    {
        if (single.Next == DerBackWriter.Constructed(1))
        {
            Octets revoked = single.Take(DerBackWriter.Constructed(1));
            if (!revoked.TryTakeTime(out DateTimeOffset revocationTime))
            {
                return null;
            }

            if (revoked.IsEmpty)
            {
                return new CertStatus.RevokedStatus(revocationTime, Reason: null);
            }

            ReadOnlySpan<byte> reason = revoked.Take(DerBackWriter.Constructed(0), isLast: true).Take(DerBackWriter.Enumerated, isLast: true).Rest;
            return reason is [<= 10 and not 7 and var number] ? new CertStatus.RevokedStatus(revocationTime, (RevocationReason)number) : null;
        }

        bool isGood = single.Next == DerBackWriter.Primitive(0);
        ReadOnlySpan<byte> whole = single.TakeWhole(DerBackWriter.Primitive(isGood ? 0 : 2));
        return whole.Length != 2 ? null : isGood ? CertStatus.Good : CertStatus.Unknown;
    }

    /// <summary>What is left to read. Nothing is left, and nothing comes of it, once a value was not what it had to be: an empty message has no fields.</summary>
    private ref struct Octets(ReadOnlySpan<byte> rest)
    {
        public ReadOnlySpan<byte> Rest { get; private set; } = rest;

        public readonly bool IsEmpty => Rest.IsEmpty;

        public readonly int Next => Rest.IsEmpty ? -1 : Rest[0];

        /// <summary>What the next value holds, if it has this tag and, where it must be, is the last one; else nothing, and nothing follows.</summary>
        public Octets Take(byte tag, bool isLast = false)
        {
            ReadOnlySpan<byte> whole = TakeWhole(tag);
            if (whole.IsEmpty || (isLast && !Rest.IsEmpty))
            {
                Rest = default;
                return default;
            }

            return new Octets(whole[HeaderOf(whole)..]);
        }

        /// <summary>The next value with its header.</summary>
        public ReadOnlySpan<byte> TakeWhole(byte tag)
        {
            ReadOnlySpan<byte> rest = Rest;
            int length = Next == tag ? LengthOf(rest) : int.MaxValue;
            if (length > rest.Length)
            {
                Rest = default;
                return default;
            }

            Rest = rest[length..];
            return rest[..length];
        }

        public bool TryTakeTime(out DateTimeOffset time)
        {
            ReadOnlySpan<byte> text = Take(DerBackWriter.GeneralizedTime).Rest;
            time = default;
            if (text.Length != 15 || text[14] != 'Z' || text[..14].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return false;
            }

            int year = (TwoDigits(text) * 100) + TwoDigits(text[2..]), month = TwoDigits(text[4..]), day = TwoDigits(text[6..]);
            int hour = TwoDigits(text[8..]), minute = TwoDigits(text[10..]), second = TwoDigits(text[12..]);
            if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            {
                return false;
            }

            time = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero);
            return true;
        }

        // With its header; more than there can be when it is cut off, longer than 64 KB, or not the shortest form.
        private static int LengthOf(ReadOnlySpan<byte> octets) => octets switch
        {
            [_, < 0x80 and var length, ..] => 2 + length,
            [_, 0x81, >= 0x80 and var length, ..] => 3 + length,
            [_, 0x82, >= 1 and var high, var low, ..] => 4 + ((high << 8) | low),
            _ => int.MaxValue,
        };

        private static int HeaderOf(ReadOnlySpan<byte> octets) => octets[1] < 0x80 ? 2 : 2 + (octets[1] & 0x7F);

        private static int TwoDigits(ReadOnlySpan<byte> text) => ((text[0] - '0') * 10) + text[1] - '0';
    }
}
