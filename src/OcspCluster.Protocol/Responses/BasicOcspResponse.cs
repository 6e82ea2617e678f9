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
    /// <exception cref="ArgumentException">What is to be sent along is not DER.</exception>
    public static BasicOcspResponse Sign(ResponseData data, OcspSigner signer, params IEnumerable<ReadOnlyMemory<byte>> certificates)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(signer);
        ReadOnlyMemory<byte>[] embedded = [.. certificates];
        if (!Array.TrueForAll(embedded, Der.IsOneValue))
        {
            throw new ArgumentException("A certificate is not the DER of one value.", nameof(certificates));
        }

        byte[] signature = signer.Sign(data.Encoded.Span);

        DerBackWriter writer = new(new byte[MaxEncodedBytes(data, signer.Algorithm, signature, embedded)]);
        Write(ref writer, data, signer.Algorithm, signature, embedded);
        return new BasicOcspResponse(writer.Written.ToArray(), data, signer.Algorithm, signature, embedded);
    }

    internal static int MaxEncodedBytes(ResponseData data, AlgorithmIdentifier algorithm, byte[] signature, ReadOnlySpan<ReadOnlyMemory<byte>> certificates)
    {
        int most = data.Encoded.Length + algorithm.Encoded.Length + signature.Length + 1 + (4 * DerBackWriter.MaxHeaderBytes);
        foreach (ReadOnlyMemory<byte> certificate in certificates)
        {
            most += certificate.Length;
        }

        return most;
    }

    internal static void Write(ref DerBackWriter writer, ResponseData data, AlgorithmIdentifier algorithm, byte[] signature, ReadOnlySpan<ReadOnlyMemory<byte>> certificates)
    {
        int end = writer.Mark;
        if (certificates.Length > 0) // an absent field, never an empty SEQUENCE: strict readers refuse one
        {
            for (int i = certificates.Length - 1; i >= 0; i--)
            {
                writer.Write(certificates[i].Span);
            }

            writer.WriteHeader(DerBackWriter.Sequence, end);
            writer.WriteHeader(DerBackWriter.Constructed(0), end);
        }

        int endOfSignature = writer.Mark;
        writer.Write(signature);
        writer.Write(0); // no unused bits
        writer.WriteHeader(DerBackWriter.BitString, endOfSignature);
        writer.Write(algorithm.Encoded.Span);
        writer.Write(data.Encoded.Span);
        writer.WriteHeader(DerBackWriter.Sequence, end);
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
