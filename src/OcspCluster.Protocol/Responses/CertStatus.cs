using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>The status of one certificate (CertStatus, RFC 6960 §4.2.1): good, revoked or unknown, and nothing else. Immutable; compared by value.</summary>
public abstract record CertStatus
{
    private CertStatus()
    {
    }

    /// <summary>Not revoked.</summary>
    public static CertStatus Good { get; } = new GoodStatus();

    /// <summary>The responder does not know the certificate.</summary>
    public static CertStatus Unknown { get; } = new UnknownStatus();

    /// <summary>Revoked at a time (cut to whole seconds), for a reason; <see cref="RevocationReason.Unspecified"/> and null are both written as no reason.</summary>
    /// <exception cref="ArgumentException">The reason is removeFromCRL, which has no meaning here, or none at all.</exception>
    public static CertStatus Revoked(DateTimeOffset revocationTime, RevocationReason? reason = null)
    {
        if (reason is RevocationReason.RemoveFromCrl || (reason is RevocationReason given && !Enum.IsDefined(given)))
        {
            throw new ArgumentException($"{reason} is no reason that a response can give.", nameof(reason));
        }

        return new RevokedStatus(Der.WholeSecond(revocationTime), reason == RevocationReason.Unspecified ? null : reason);
    }

    /// <summary>Not revoked.</summary>
    public sealed record GoodStatus : CertStatus;

    /// <summary>The responder does not know the certificate.</summary>
    public sealed record UnknownStatus : CertStatus;

    /// <summary>Revoked or on hold (RevokedInfo).</summary>
    /// <param name="RevocationTime">Since when.</param>
    /// <param name="Reason">Why; null when not told.</param>
    public sealed record RevokedStatus(DateTimeOffset RevocationTime, RevocationReason? Reason) : CertStatus;

    // CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT UnknownInfo (NULL) }
    // RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }
    internal static CertStatus Read(AsnReader reader, DecodeOptions options)
    {
        Asn1Tag tag = reader.PeekTag();
        if (tag == Der.Implicit(0))
        {
            reader.ReadNull(tag);
            return Good;
        }

        if (tag == Der.Implicit(2))
        {
            reader.ReadNull(tag);
            return Unknown;
        }

        AsnReader revoked = reader.ReadSequence(Der.Explicit(1));
        DateTimeOffset revocationTime = Der.ReadTime(revoked);
        RevocationReason? reason = null;
        if (revoked.HasExplicit(0))
        {
            AsnReader field = revoked.ReadExplicit(0);
            reason = Protocol.Reason.Read(field, options);
            field.End();
        }

        revoked.End();
        return new RevokedStatus(revocationTime, reason);
    }

    internal void Write(ref DerBackWriter writer)
    {
        int end = writer.Mark;
        if (this is RevokedStatus revoked)
        {
            if (revoked.Reason is RevocationReason reason)
            {
                Protocol.Reason.Write(ref writer, reason);
                writer.WriteHeader(DerBackWriter.Constructed(0), end);
            }

            writer.WriteTime(revoked.RevocationTime);
            writer.WriteHeader(DerBackWriter.Constructed(1), end);
        }
        else
        {
            writer.WriteHeader(DerBackWriter.Primitive(this is GoodStatus ? 0 : 2), end); // NULL: no content
        }
    }
}
