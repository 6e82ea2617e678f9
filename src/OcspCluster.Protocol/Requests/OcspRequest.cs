using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>One certificate asked about, and what the client adds to the question (Request, RFC 6960 §4.1.1). Immutable.</summary>
public sealed class SingleRequest
{
    /// <summary>Asks about a certificate.</summary>
    public SingleRequest(CertId certId, OcspExtensionCollection? extensions = null)
    {
        ArgumentNullException.ThrowIfNull(certId);
        CertId = certId;
        Extensions = extensions ?? OcspExtensionCollection.Empty;
    }

    /// <summary>The certificate.</summary>
    public CertId CertId { get; }

    /// <summary>singleRequestExtensions; empty when absent.</summary>
    public OcspExtensionCollection Extensions { get; }

    // Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
    internal static SingleRequest Read(AsnReader reader, DecodeOptions options)
    {
        AsnReader request = reader.ReadSequence();
        CertId certId = CertId.Read(request);
        OcspExtensionCollection extensions = OcspExtensionCollection.ReadOptional(request, 0, options);
        request.End();
        return new SingleRequest(certId, extensions);
    }

    internal void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(CertId.Encoded.Span);
            Extensions.WriteOptional(writer, 0);
        }
    }
}

/// <summary>The signature on a request and the certificates that came with it (Signature, RFC 6960 §4.1.1). Immutable.</summary>
public sealed class OcspRequestSignature
{
    internal OcspRequestSignature(AlgorithmIdentifier algorithm, ReadOnlyMemory<byte> value, IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        Algorithm = algorithm;
        Value = value;
        Certificates = certificates;
    }

    /// <summary>The signature algorithm.</summary>
    public AlgorithmIdentifier Algorithm { get; }

    /// <summary>The signature over <see cref="OcspRequest.TbsRequest"/>.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>The DER of the certificates that came with it, the signer's among them as a rule. Not looked into.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; }

    // Signature ::= SEQUENCE { signatureAlgorithm AlgorithmIdentifier, signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
    internal static OcspRequestSignature Read(AsnReader reader, DecodeOptions options)
    {
        try
        {
            AsnReader signature = reader.ReadSequence();
            AlgorithmIdentifier algorithm = AlgorithmIdentifier.Read(signature);
            ReadOnlyMemory<byte> value = Der.ReadSignatureBits(signature);
            IReadOnlyList<ReadOnlyMemory<byte>> certificates = Der.ReadCertificates(signature, options);
            signature.End();
            return new OcspRequestSignature(algorithm, value, certificates);
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidSignature, "The signature block of the request is not one: " + e.Message, e);
        }
    }

    internal void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            Algorithm.Write(writer);
            writer.WriteBitString(Value.Span);
            Der.WriteCertificates(writer, Certificates);
        }
    }
}

/// <summary>A question for the status of certificates (OCSPRequest, RFC 6960 §4.1.1). Immutable; made by <see cref="OcspRequestBuilder"/> or read.</summary>
/// <remarks>It keeps slices of the bytes that it was read from: do not change them while it is in use.</remarks>
public sealed class OcspRequest
{
    private OcspRequest(ReadOnlyMemory<byte> encoded, ReadOnlyMemory<byte> tbsRequest, Body body, OcspRequestSignature? signature)
    {
        Encoded = encoded;
        TbsRequest = tbsRequest;
        HasExplicitVersion = body.HasExplicitVersion;
        RequestorName = body.RequestorName;
        Requests = body.Requests;
        Extensions = body.Extensions;
        Nonce = body.Nonce;
        AcceptableResponseTypes = body.AcceptableResponseTypes;
        PreferredSignatureAlgorithms = body.PreferredSignatureAlgorithms;
        Signature = signature;
    }

    /// <summary>The DER of the whole request.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The bytes that a signature covers.</summary>
    public ReadOnlyMemory<byte> TbsRequest { get; }

    /// <summary>Whether version v1 was written out, which DER forbids and some clients do.</summary>
    public bool HasExplicitVersion { get; }

    /// <summary>Who asks; null when not told.</summary>
    public GeneralName? RequestorName { get; }

    /// <summary>The certificates asked about, at least one.</summary>
    public IReadOnlyList<SingleRequest> Requests { get; }

    /// <summary>requestExtensions; empty when absent.</summary>
    public OcspExtensionCollection Extensions { get; }

    /// <summary>The nonce to be echoed; null when there is none.</summary>
    public OcspNonce? Nonce { get; }

    /// <summary>OIDs of the response types that the client takes; null when it does not say.</summary>
    public IReadOnlyList<string>? AcceptableResponseTypes { get; }

    /// <summary>The signature algorithms that the client would like, best first; null when it does not say.</summary>
    public IReadOnlyList<PreferredSignatureAlgorithm>? PreferredSignatureAlgorithms { get; }

    /// <summary>The signature; null when unsigned.</summary>
    public OcspRequestSignature? Signature { get; }

    /// <summary>Reads a request from its DER.</summary>
    /// <param name="encoded">Exactly one request: octets after it are an error.</param>
    /// <param name="request">The request, or null.</param>
    /// <param name="error">The rule that was broken, or <see cref="DecodeError.None"/>.</param>
    /// <param name="options">What is accepted beyond the defaults.</param>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OcspRequest? request, out DecodeError error, DecodeOptions? options = null)
    {
        request = Der.TryRead(encoded, bytes => Read(bytes, options ?? DecodeOptions.Default), out error);
        return request is not null;
    }

    /// <summary>Reads a request from its DER.</summary>
    /// <exception cref="OcspFormatException">The bytes are not one request.</exception>
    public static OcspRequest Decode(ReadOnlyMemory<byte> encoded, DecodeOptions? options = null) =>
        Der.Read(encoded, bytes => Read(bytes, options ?? DecodeOptions.Default));

    // OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
    private static OcspRequest Read(ReadOnlyMemory<byte> encoded, DecodeOptions options)
    {
        AsnReader message = Der.OpenMessage(encoded);
        ReadOnlyMemory<byte> tbsRequest = message.PeekEncodedValue();
        Body body = Body.Read(message.ReadSequence(), options);
        OcspRequestSignature? signature = null;
        if (message.HasExplicit(0))
        {
            AsnReader field = message.ReadExplicit(0);
            signature = OcspRequestSignature.Read(field, options);
            field.End();
            if (body.RequestorName is null)
            {
                throw new OcspFormatException(DecodeError.InvalidSignature, "A signed request names its requestor (RFC 6960 §4.1.2).");
            }
        }

        message.End();
        return new OcspRequest(encoded, tbsRequest, body, signature);
    }

    /// <summary>The fields of TBSRequest.</summary>
    private readonly record struct Body(
        bool HasExplicitVersion,
        GeneralName? RequestorName,
        IReadOnlyList<SingleRequest> Requests,
        OcspExtensionCollection Extensions,
        OcspNonce? Nonce,
        IReadOnlyList<string>? AcceptableResponseTypes,
        IReadOnlyList<PreferredSignatureAlgorithm>? PreferredSignatureAlgorithms)
    {
        // TBSRequest ::= SEQUENCE { version [0] EXPLICIT Version DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
        //                           requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
        public static Body Read(AsnReader tbs, DecodeOptions options)
        {
            bool hasExplicitVersion = Der.ReadExplicitVersion(tbs);
            GeneralName? requestorName = null;
            if (tbs.HasExplicit(1))
            {
                AsnReader field = tbs.ReadExplicit(1);
                requestorName = GeneralName.Read(field);
                field.End();
            }

            IReadOnlyList<SingleRequest> requests = ReadList(tbs.ReadSequence(), options);
            OcspExtensionCollection extensions = OcspExtensionCollection.ReadOptional(tbs, 2, options);
            tbs.End();
            return new Body(
                hasExplicitVersion,
                requestorName,
                requests,
                extensions,
                OcspNonce.Read(extensions, options),
                Protocol.AcceptableResponses.Read(extensions),
                PreferredSignatureAlgorithm.Read(extensions));
        }

        private static List<SingleRequest> ReadList(AsnReader list, DecodeOptions options)
        {
            List<SingleRequest> requests = [];
            while (list.HasData)
            {
                if (requests.Count == options.MaxCertIds)
                {
                    throw new OcspFormatException(DecodeError.TooManyCertIds, $"More than {options.MaxCertIds} certificates in one request.");
                }

                requests.Add(SingleRequest.Read(list, options));
            }

            return requests.Count > 0 ? requests : throw new OcspFormatException(DecodeError.EmptyRequestList, "requestList has at least one element.");
        }
    }
}
