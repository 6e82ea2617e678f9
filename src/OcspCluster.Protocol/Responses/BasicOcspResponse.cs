using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>A signed answer (BasicOCSPResponse, RFC 6960 §4.2.1). Immutable.</summary>
public sealed class BasicOcspResponse
{
    private BasicOcspResponse(ReadOnlyMemory<byte> encoded, ResponseData data, AlgorithmIdentifier signatureAlgorithm, ReadOnlyMemory<byte> signature, IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        Encoded = encoded;
        Data = data;
        SignatureAlgorithm = signatureAlgorithm;
        Signature = signature;
        Certificates = certificates;
    }

    /// <summary>The DER.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The signed part; its <see cref="ResponseData.Encoded"/> are the exact bytes that the signature covers.</summary>
    public ResponseData Data { get; }

    /// <summary>The signature algorithm.</summary>
    public AlgorithmIdentifier SignatureAlgorithm { get; }

    /// <summary>The signature.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The DER of the certificates that came with it; empty when the field is absent. Not looked into.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; }

    /// <summary>Signs.</summary>
    /// <param name="data">What is signed.</param>
    /// <param name="signer">Signs; its certificate is the one that <see cref="ResponseData.ResponderId"/> denotes.</param>
    /// <param name="certificates">
    /// DER of certificates to send along: the delegated responder's and nothing else, as a rule, and none when the CA itself signs (RFC 9919 §3.2.2).
    /// </param>
    public static BasicOcspResponse Sign(ResponseData data, OcspSigner signer, params IEnumerable<ReadOnlyMemory<byte>> certificates)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(signer);
        byte[] signature = signer.Sign(data.Encoded.Span);
        ReadOnlyMemory<byte>[] embedded = [.. certificates];

        AsnWriter writer = new(AsnEncodingRules.DER, initialCapacity: 2048);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(data.Encoded.Span);
            signer.Algorithm.Write(writer);
            writer.WriteBitString(signature);
            Der.WriteCertificates(writer, embedded);
        }

        return new BasicOcspResponse(writer.Encode(), data, signer.Algorithm, signature, embedded);
    }

    // BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier,
    //                                  signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
    internal static BasicOcspResponse Read(ReadOnlyMemory<byte> encoded, DecodeOptions options)
    {
        AsnReader basic = Der.OpenMessage(encoded);
        ResponseData data = ResponseData.Read(basic, options);
        AlgorithmIdentifier signatureAlgorithm = AlgorithmIdentifier.Read(basic);
        ReadOnlyMemory<byte> signature = Der.ReadSignatureBits(basic);
        IReadOnlyList<ReadOnlyMemory<byte>> certificates = Der.ReadCertificates(basic, options);
        basic.End();
        return new BasicOcspResponse(encoded, data, signatureAlgorithm, signature, certificates);
    }
}
