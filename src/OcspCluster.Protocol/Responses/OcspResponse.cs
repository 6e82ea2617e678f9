using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>What became of a request (OCSPResponseStatus, RFC 6960 §4.2.1). 4 is not used.</summary>
public enum OcspResponseStatus
{
    /// <summary>There is a signed answer.</summary>
    Successful = 0,

    /// <summary>The request is not one.</summary>
    MalformedRequest = 1,

    /// <summary>The responder is broken inside.</summary>
    InternalError = 2,

    /// <summary>The responder cannot answer now.</summary>
    TryLater = 3,

    /// <summary>The request must be signed.</summary>
    SigRequired = 5,

    /// <summary>The client may not ask this here, or the responder has no authoritative answer (RFC 9919 §3.2.3).</summary>
    Unauthorized = 6,
}

/// <summary>The envelope of an answer (OCSPResponse, RFC 6960 §4.2.1). Immutable.</summary>
/// <remarks>It keeps slices of the bytes that it was read from: do not change them while it is in use.</remarks>
public sealed class OcspResponse
{
    // responseStatus successful, and responseType id-pkix-ocsp-basic: never another beside a signature
    private static ReadOnlySpan<byte> Successful => [DerBackWriter.Enumerated, 1, 0];

    private static ReadOnlySpan<byte> TypeBasic => [0x06, 0x09, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

    private static int MaxEnvelopeBytes => Successful.Length + TypeBasic.Length + (4 * DerBackWriter.MaxHeaderBytes);

    private OcspResponse(ReadOnlyMemory<byte> encoded, OcspResponseStatus status, BasicOcspResponse? basic)
    {
        Encoded = encoded;
        Status = status;
        Basic = basic;
    }

    /// <summary>Unsigned: the request is not one.</summary>
    public static OcspResponse MalformedRequest { get; } = FromStatus(OcspResponseStatus.MalformedRequest);

    /// <summary>Unsigned: the responder is broken inside.</summary>
    public static OcspResponse InternalError { get; } = FromStatus(OcspResponseStatus.InternalError);

    /// <summary>Unsigned: not now.</summary>
    public static OcspResponse TryLater { get; } = FromStatus(OcspResponseStatus.TryLater);

    /// <summary>Unsigned: the request must be signed.</summary>
    public static OcspResponse SigRequired { get; } = FromStatus(OcspResponseStatus.SigRequired);

    /// <summary>Unsigned: no authoritative answer here for this client.</summary>
    public static OcspResponse Unauthorized { get; } = FromStatus(OcspResponseStatus.Unauthorized);

    /// <summary>The DER of the whole response.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>What became of the request.</summary>
    public OcspResponseStatus Status { get; }

    /// <summary>The signed answer; null exactly when <see cref="Status"/> is not successful.</summary>
    public BasicOcspResponse? Basic { get; }

    /// <summary>The unsigned answer of a status: 5 octets.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is successful, which needs a signed answer, or none at all.</exception>
    public static OcspResponse FromStatus(OcspResponseStatus status)
    {
        if (status == OcspResponseStatus.Successful || !Enum.IsDefined(status))
        {
            throw new ArgumentOutOfRangeException(nameof(status), status, "Only an error is answered without a signature.");
        }

        return new OcspResponse(new byte[] { 0x30, 0x03, 0x0A, 0x01, (byte)status }, status, basic: null);
    }

    /// <summary>Puts a signed answer into its envelope.</summary>
    public static OcspResponse FromBasic(BasicOcspResponse basic)
    {
        ArgumentNullException.ThrowIfNull(basic);
        DerBackWriter writer = new(new byte[basic.Encoded.Length + MaxEnvelopeBytes]);
        int end = writer.Mark;
        writer.Write(basic.Encoded.Span);
        WriteEnvelope(ref writer, end);
        return new OcspResponse(writer.Written.ToArray(), OcspResponseStatus.Successful, basic);
    }

    /// <summary>Signs, and puts it into its envelope: the octets that <see cref="BasicOcspResponse.Sign"/> and <see cref="FromBasic"/> make, at one go and without their objects.</summary>
    internal static byte[] Sign(ResponseData data, OcspSigner signer, ReadOnlySpan<ReadOnlyMemory<byte>> certificates)
    {
        byte[] signature = signer.Sign(data.Encoded.Span);
        AlgorithmIdentifier algorithm = signer.Algorithm;
        int most = MaxEnvelopeBytes + BasicOcspResponse.MaxEncodedBytes(data, algorithm, signature, certificates);
        DerBackWriter writer = new(most <= 4096 ? stackalloc byte[most] : new byte[most]);
        int end = writer.Mark;
        BasicOcspResponse.Write(ref writer, data, algorithm, signature, certificates);
        WriteEnvelope(ref writer, end);
        return writer.Written.ToArray();
    }

    /// <summary>Reads a response from its DER.</summary>
    /// <param name="encoded">Exactly one response: octets after it are an error.</param>
    /// <param name="response">The response, or null.</param>
    /// <param name="error">The rule that was broken, or <see cref="DecodeError.None"/>.</param>
    /// <param name="options">What is accepted beyond the defaults.</param>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out OcspResponse? response, out DecodeError error, DecodeOptions? options = null)
    {
        response = Der.TryRead(encoded, bytes => Read(bytes, options ?? DecodeOptions.Default), out error);
        return response is not null;
    }

    /// <summary>Reads a response from its DER.</summary>
    /// <exception cref="OcspFormatException">The bytes are not one response.</exception>
    public static OcspResponse Decode(ReadOnlyMemory<byte> encoded, DecodeOptions? options = null) =>
        Der.Read(encoded, bytes => Read(bytes, options ?? DecodeOptions.Default));

    // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT ResponseBytes OPTIONAL }
    // ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
    private static OcspResponse Read(ReadOnlyMemory<byte> encoded, DecodeOptions options)
    {
        AsnReader message = Der.OpenMessage(encoded);
        OcspResponseStatus status = ReadStatus(message);
        if (!message.HasData)
        {
            return status != OcspResponseStatus.Successful
                ? new OcspResponse(encoded, status, basic: null)
                : throw new OcspFormatException(DecodeError.InconsistentStatus, "A successful response has responseBytes.");
        }

        AsnReader field = message.ReadExplicit(0);
        message.End();
        if (status != OcspResponseStatus.Successful)
        {
            throw new OcspFormatException(DecodeError.InconsistentStatus, "An error has no responseBytes.");
        }

        AsnReader responseBytes = field.ReadSequence();
        field.End();
        string responseType = responseBytes.ReadObjectIdentifier();
        if (responseType != Oids.OcspBasic)
        {
            throw new OcspFormatException(DecodeError.UnsupportedResponseType, $"Response type {responseType} is not id-pkix-ocsp-basic.");
        }

        if (!responseBytes.TryReadPrimitiveOctetString(out ReadOnlyMemory<byte> response))
        {
            throw new AsnContentException("The response is a primitive OCTET STRING.");
        }

        responseBytes.End();
        return new OcspResponse(encoded, status, BasicOcspResponse.Read(response, options));
    }

    private static void WriteEnvelope(ref DerBackWriter writer, int end)
    {
        writer.WriteHeader(DerBackWriter.OctetString, end);
        writer.Write(TypeBasic);
        writer.WriteHeader(DerBackWriter.Sequence, end);
        writer.WriteHeader(DerBackWriter.Constructed(0), end);
        writer.Write(Successful);
        writer.WriteHeader(DerBackWriter.Sequence, end);
    }

    private static OcspResponseStatus ReadStatus(AsnReader reader) => reader.ReadEnumeratedBytes().Span is [var value] && Enum.IsDefined((OcspResponseStatus)value)
        ? (OcspResponseStatus)value
        : throw new OcspFormatException(DecodeError.InvalidStatus, "No OCSPResponseStatus (RFC 6960 §4.2.1).");
}
