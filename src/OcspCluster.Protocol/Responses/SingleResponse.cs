using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>The answer for one certificate (SingleResponse, RFC 6960 §4.2.1). Immutable.</summary>
public sealed class SingleResponse
{
    /// <summary>Makes the answer for one certificate.</summary>
    /// <param name="certId">The certificate, as it was asked about.</param>
    /// <param name="status">Its status.</param>
    /// <param name="thisUpdate">When the status was known to be right. Cut to whole seconds.</param>
    /// <param name="nextUpdate">When there will be newer information at the latest; null when it is always there.</param>
    /// <param name="extensions">singleExtensions.</param>
    /// <exception cref="ArgumentException">nextUpdate is before thisUpdate.</exception>
    public SingleResponse(CertId certId, CertStatus status, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate = null, OcspExtensionCollection? extensions = null)
    {
        ArgumentNullException.ThrowIfNull(certId);
        ArgumentNullException.ThrowIfNull(status);
        if (nextUpdate < thisUpdate)
        {
            throw new ArgumentException("nextUpdate is before thisUpdate.", nameof(nextUpdate));
        }

        CertId = certId;
        Status = status;
        ThisUpdate = Der.WholeSecond(thisUpdate);
        NextUpdate = nextUpdate is DateTimeOffset next ? Der.WholeSecond(next) : null;
        Extensions = extensions ?? OcspExtensionCollection.Empty;
    }

    private SingleResponse(CertId certId, CertStatus status, DateTimeOffset thisUpdate, OcspExtensionCollection extensions, DateTimeOffset? nextUpdate)
    {
        CertId = certId;
        Status = status;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
        Extensions = extensions;
    }

    /// <summary>The certificate.</summary>
    public CertId CertId { get; }

    /// <summary>Its status.</summary>
    public CertStatus Status { get; }

    /// <summary>When the status was known to be right.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When there will be newer information at the latest; null when it is always there.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>singleExtensions; empty when absent.</summary>
    public OcspExtensionCollection Extensions { get; }

    // SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
    //                               nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
    internal static SingleResponse Read(AsnReader reader, DecodeOptions options)
    {
        AsnReader single = reader.ReadSequence();
        CertId certId = CertId.Read(single);
        CertStatus status = CertStatus.Read(single, options);
        DateTimeOffset thisUpdate = Der.ReadTime(single);
        DateTimeOffset? nextUpdate = null;
        if (single.HasExplicit(0))
        {
            AsnReader field = single.ReadExplicit(0);
            nextUpdate = Der.ReadTime(field);
            field.End();
        }

        OcspExtensionCollection extensions = OcspExtensionCollection.ReadOptional(single, 1, options);
        single.End();
        return new SingleResponse(certId, status, thisUpdate, extensions, nextUpdate); // a reader takes times as they are; a verifier judges them
    }

    // The most octets that it takes: two headers and four times of at most 25 octets each, beside what is copied.
    internal int MaxEncodedBytes => CertId.Encoded.Length + Extensions.MaxEncodedBytes + 128;

    internal void Write(ref DerBackWriter writer)
    {
        int end = writer.Mark;
        Extensions.WriteOptional(ref writer, 1);
        if (NextUpdate is DateTimeOffset nextUpdate)
        {
            int endOfField = writer.Mark;
            writer.WriteTime(nextUpdate);
            writer.WriteHeader(DerBackWriter.Constructed(0), endOfField);
        }

        writer.WriteTime(ThisUpdate);
        Status.Write(ref writer);
        writer.Write(CertId.Encoded.Span);
        writer.WriteHeader(DerBackWriter.Sequence, end);
    }
}
