using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>Which certificates and reasons a CRL covers, when it does not cover all (IssuingDistributionPoint, RFC 5280 §5.2.5). Immutable.</summary>
public sealed class IssuingDistributionPoint
{
    // ReasonFlags ::= BIT STRING { unused (0), keyCompromise (1), cACompromise (2), affiliationChanged (3), superseded (4),
    //     cessationOfOperation (5), certificateHold (6), privilegeWithdrawn (7), aACompromise (8) }
    private static readonly RevocationReason[] s_flags =
    [
        RevocationReason.Unspecified, RevocationReason.KeyCompromise, RevocationReason.CaCompromise, RevocationReason.AffiliationChanged, RevocationReason.Superseded,
        RevocationReason.CessationOfOperation, RevocationReason.CertificateHold, RevocationReason.PrivilegeWithdrawn, RevocationReason.AaCompromise,
    ];

    private IssuingDistributionPoint(ReadOnlyMemory<byte> encoded) => Encoded = encoded;

    /// <summary>The DER: two CRLs have the same scope when theirs is the same, octet for octet.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The names of the distribution point (fullName); empty when it has none, or one relative to the issuer's.</summary>
    public IReadOnlyList<GeneralName> DistributionPoint { get; private init; } = [];

    /// <summary>Only certificates of end entities.</summary>
    public bool OnlyContainsUserCerts { get; private init; }

    /// <summary>Only certificates of CAs.</summary>
    public bool OnlyContainsCaCerts { get; private init; }

    /// <summary>Only attribute certificates: nothing about the certificates that OCSP is asked about.</summary>
    public bool OnlyContainsAttributeCerts { get; private init; }

    /// <summary>Only revocations for these reasons; null for all.</summary>
    public IReadOnlyList<RevocationReason>? OnlySomeReasons { get; private init; }

    /// <summary>Entries may be other issuers' certificates.</summary>
    public bool IsIndirectCrl { get; private init; }

    // IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
    //     onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] BOOLEAN DEFAULT FALSE,
    //     onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
    internal static IssuingDistributionPoint Read(AsnReader reader)
    {
        ReadOnlyMemory<byte> encoded = reader.PeekEncodedValue();
        AsnReader point = reader.ReadSequence();
        if (!point.HasData)
        {
            throw new AsnContentException("An issuingDistributionPoint is never empty (RFC 5280 §5.2.5).");
        }

        IssuingDistributionPoint read = new(encoded)
        {
            DistributionPoint = ReadName(point),
            OnlyContainsUserCerts = ReadFlag(point, 1),
            OnlyContainsCaCerts = ReadFlag(point, 2),
            OnlySomeReasons = ReadReasons(point),
            IsIndirectCrl = ReadFlag(point, 4),
            OnlyContainsAttributeCerts = ReadFlag(point, 5),
        };
        point.End();
        bool[] kinds = [read.OnlyContainsUserCerts, read.OnlyContainsCaCerts, read.OnlyContainsAttributeCerts];
        return kinds.Count(isSet => isSet) <= 1 ? read : throw new AsnContentException("At most one of the onlyContains flags is set (RFC 5280 §5.2.5).");
    }

    // DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }: a CHOICE, so the field is EXPLICIT
    private static List<GeneralName> ReadName(AsnReader point)
    {
        List<GeneralName> names = [];
        if (!point.HasExplicit(0))
        {
            return names;
        }

        AsnReader field = point.ReadExplicit(0);
        if (field.HasExplicit(1))
        {
            _ = field.ReadSetOf(skipSortOrderValidation: true, Der.Explicit(1));
        }
        else
        {
            AsnReader full = field.ReadSequence(Der.Explicit(0));
            do
            {
                names.Add(GeneralName.Read(full)); // at least one
            }
            while (full.HasData);
        }

        field.End();
        return names;
    }

    // FALSE written out is tolerated, as it is for critical.
    private static bool ReadFlag(AsnReader point, int number) =>
        point.HasData && point.PeekTag() == Der.Implicit(number) && point.ReadBoolean(Der.Implicit(number));

    private static List<RevocationReason>? ReadReasons(AsnReader point)
    {
        if (!point.HasData || point.PeekTag() != Der.Implicit(3))
        {
            return null;
        }

        byte[] bits = point.ReadBitString(out _, Der.Implicit(3));
        List<RevocationReason> reasons = [];
        for (int bit = 1; bit < s_flags.Length && bit / 8 < bits.Length; bit++)
        {
            if ((bits[bit / 8] & (0x80 >> (bit % 8))) != 0)
            {
                reasons.Add(s_flags[bit]);
            }
        }

        return reasons;
    }
}
