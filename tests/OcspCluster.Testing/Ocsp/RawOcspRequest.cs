using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>One Request: a CertID and, if not null, a list of extensions (empty: an empty SEQUENCE).</summary>
public sealed record RawSingleRequest(byte[] CertId, IReadOnlyList<RawExtension>? Extensions = null)
{
    /// <summary>The octets.</summary>
    public byte[] Encode() => Der.Sequence(CertId, Extensions is null ? [] : Der.Explicit(0, RawOcspRequest.EncodeExtensions(Extensions)));
}

/// <summary>
/// An OCSPRequest with every freedom to be wrong (RFC 6960 §4.1.1). Parts that are octets are whole TLVs, put where the field belongs.
/// </summary>
public sealed record RawOcspRequest
{
    /// <summary>What the [0] version field holds, as a TLV; null: absent.</summary>
    public byte[]? Version { get; init; }

    /// <summary>The GeneralName inside requestorName; null: absent.</summary>
    public byte[]? RequestorName { get; init; }

    /// <summary>requestList, in order.</summary>
    public IReadOnlyList<RawSingleRequest> Requests { get; init; } = [];

    /// <summary>requestExtensions; null: absent, empty: an empty SEQUENCE.</summary>
    public IReadOnlyList<RawExtension>? Extensions { get; init; }

    /// <summary>The Signature SEQUENCE inside optionalSignature; null: unsigned.</summary>
    public byte[]? Signature { get; init; }

    /// <summary>Octets put at the end of tbsRequest.</summary>
    public byte[] TbsTail { get; init; } = [];

    /// <summary>Octets put at the end of the OCSPRequest, inside it.</summary>
    public byte[] Tail { get; init; } = [];

    /// <summary>A plain request for these CertIDs: no version, no extensions, unsigned.</summary>
    public static RawOcspRequest For(params IEnumerable<RawCertId> certIds) =>
        new() { Requests = [.. certIds.Select(certId => new RawSingleRequest(certId.Encode()))] };

    /// <summary>This request with a nonce.</summary>
    public RawOcspRequest WithNonce(byte[] nonce) => this with { Extensions = [.. Extensions ?? [], RawExtension.Nonce(nonce)] };

    /// <summary>This request with request extensions.</summary>
    public RawOcspRequest With(params RawExtension[] extensions) => this with { Extensions = [.. Extensions ?? [], .. extensions] };

    /// <summary>This request signed by a certificate's key over the tbsRequest as it stands, the certificate enclosed.</summary>
    public RawOcspRequest SignedBy(TestCertificate signer, bool enclose = true)
    {
        ArgumentNullException.ThrowIfNull(signer);
        return this with { Signature = EncodeSignature(signer.Key.SignatureAlgorithm, signer.Key.Sign(EncodeTbs()), enclose ? [signer.Certificate] : []) };
    }

    /// <summary>A Signature SEQUENCE.</summary>
    public static byte[] EncodeSignature(byte[] algorithm, byte[] signature, IReadOnlyList<X509Certificate2> certificates) => Der.Sequence(
        algorithm,
        Der.BitString(signature),
        certificates.Count == 0 ? [] : Der.Explicit(0, Der.Sequence([.. certificates.Select(certificate => certificate.RawData)])));

    /// <summary>The octets of tbsRequest.</summary>
    public byte[] EncodeTbs() => Der.Sequence(
        Version is null ? [] : Der.Explicit(0, Version),
        RequestorName is null ? [] : Der.Explicit(1, RequestorName),
        Der.Sequence([.. Requests.Select(request => request.Encode())]),
        Extensions is null ? [] : Der.Explicit(2, EncodeExtensions(Extensions)),
        TbsTail);

    /// <summary>The octets.</summary>
    public byte[] Encode() => Der.Sequence(EncodeTbs(), Signature is null ? [] : Der.Explicit(0, Signature), Tail);

    internal static byte[] EncodeExtensions(IReadOnlyList<RawExtension> extensions) => Der.Sequence([.. extensions.Select(extension => extension.Encode())]);
}
