using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>The signed part of an answer (ResponseData, RFC 6960 §4.2.1). Immutable.</summary>
public sealed class ResponseData
{
    /// <summary>Makes the part that will be signed.</summary>
    /// <param name="responderId">Who signs.</param>
    /// <param name="producedAt">When it is signed. Cut to whole seconds.</param>
    /// <param name="responses">The answers, at least one.</param>
    /// <param name="extensions">responseExtensions.</param>
    /// <exception cref="ArgumentException">There is no answer.</exception>
    public ResponseData(ResponderId responderId, DateTimeOffset producedAt, IReadOnlyList<SingleResponse> responses, OcspExtensionCollection? extensions = null)
        : this(responderId, Der.WholeSecond(producedAt), responses, extensions ?? OcspExtensionCollection.Empty, nonce: null, encoded: default)
    {
        ArgumentNullException.ThrowIfNull(responderId);
        ArgumentNullException.ThrowIfNull(responses);
        if (responses.Count == 0)
        {
            throw new ArgumentException("ResponseData has at least one SingleResponse.", nameof(responses));
        }

        Nonce = OcspNonce.Read(Extensions, new DecodeOptions { AcceptRawNonce = true });
        Encoded = Encode();
    }

    private ResponseData(ResponderId responderId, DateTimeOffset producedAt, IReadOnlyList<SingleResponse> responses, OcspExtensionCollection extensions, OcspNonce? nonce, ReadOnlyMemory<byte> encoded)
    {
        ResponderId = responderId;
        ProducedAt = producedAt;
        Responses = responses;
        Extensions = extensions;
        Nonce = nonce;
        Encoded = encoded;
    }

    /// <summary>The exact bytes that are signed (tbsResponseData).</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Who signed.</summary>
    public ResponderId ResponderId { get; }

    /// <summary>When it was signed.</summary>
    public DateTimeOffset ProducedAt { get; }

    /// <summary>The answers, at least one.</summary>
    public IReadOnlyList<SingleResponse> Responses { get; }

    /// <summary>responseExtensions; empty when absent.</summary>
    public OcspExtensionCollection Extensions { get; }

    /// <summary>The nonce of the request, echoed; null when there is none.</summary>
    public OcspNonce? Nonce { get; }

    // ResponseData ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
    //                             responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
    internal static ResponseData Read(AsnReader reader, DecodeOptions options)
    {
        ReadOnlyMemory<byte> encoded = reader.PeekEncodedValue();
        AsnReader data = reader.ReadSequence();
        _ = Der.ReadExplicitVersion(data);
        ResponderId responderId = ResponderId.Read(data);
        DateTimeOffset producedAt = Der.ReadTime(data);
        AsnReader list = data.ReadSequence();
        List<SingleResponse> responses = [];
        while (list.HasData)
        {
            if (responses.Count == options.MaxCertIds)
            {
                throw new OcspFormatException(DecodeError.TooManyCertIds, $"More than {options.MaxCertIds} answers in one response.");
            }

            responses.Add(SingleResponse.Read(list, options));
        }

        if (responses.Count == 0)
        {
            throw new OcspFormatException(DecodeError.EmptyResponses, "ResponseData has at least one SingleResponse.");
        }

        OcspExtensionCollection extensions = OcspExtensionCollection.ReadOptional(data, 1, options);
        data.End();
        return new ResponseData(responderId, producedAt, responses, extensions, OcspNonce.Read(extensions, options), encoded);
    }

    private byte[] Encode()
    {
        int most = ResponderId.Encoded.Length + Extensions.MaxEncodedBytes + 64;
        foreach (SingleResponse response in Responses)
        {
            most += response.MaxEncodedBytes;
        }

        DerBackWriter writer = new(most <= 1024 ? stackalloc byte[most] : new byte[most]);
        int end = writer.Mark;
        Extensions.WriteOptional(ref writer, 1);
        int endOfList = writer.Mark;
        for (int i = Responses.Count - 1; i >= 0; i--)
        {
            Responses[i].Write(ref writer);
        }

        writer.WriteHeader(DerBackWriter.Sequence, endOfList);
        writer.WriteTime(ProducedAt);
        writer.Write(ResponderId.Encoded.Span);
        writer.WriteHeader(DerBackWriter.Sequence, end);
        return writer.Written.ToArray();
    }
}
