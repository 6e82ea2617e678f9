using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>Builds an <see cref="OcspRequest"/> (RFC 6960 §4.1). Not thread-safe; may build several times.</summary>
public sealed class OcspRequestBuilder
{
    private readonly List<SingleRequest> _requests = [];
    private readonly List<OcspExtension> _extensions = [];

    /// <summary>An empty request.</summary>
    public OcspRequestBuilder()
    {
    }

    /// <summary>A request with all that another one asks, without its signature.</summary>
    public OcspRequestBuilder(OcspRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        _requests.AddRange(request.Requests);
        _extensions.AddRange(request.Extensions);
        RequestorName = request.RequestorName;
        WriteVersion = request.HasExplicitVersion;
    }

    /// <summary>Who asks; a signed request must say so (RFC 6960 §4.1.2).</summary>
    public GeneralName? RequestorName { get; set; }

    /// <summary>Whether version v1 is written out. DER forbids it (X.690 §11.5); here to reproduce what others send. Default false.</summary>
    public bool WriteVersion { get; set; }

    /// <summary>Asks about one more certificate.</summary>
    public OcspRequestBuilder Add(CertId certId, params IEnumerable<OcspExtension> extensions)
    {
        _requests.Add(new SingleRequest(certId, new OcspExtensionCollection(extensions)));
        return this;
    }

    /// <summary>Adds an extension of the whole request.</summary>
    public OcspRequestBuilder AddExtension(OcspExtension extension)
    {
        ArgumentNullException.ThrowIfNull(extension);
        _extensions.Add(extension);
        return this;
    }

    /// <summary>Adds a nonce: a fresh one of 32 octets when none is given (RFC 9654 §2.1).</summary>
    public OcspRequestBuilder AddNonce(OcspNonce? nonce = null) => AddExtension((nonce ?? OcspNonce.Create()).ToExtension());

    /// <summary>Builds the request unsigned.</summary>
    /// <exception cref="InvalidOperationException">It asks about no certificate, or has an extension twice.</exception>
    public OcspRequest Build() => Finish(EncodeTbsRequest(), signature: null);

    /// <summary>Builds the request and signs it.</summary>
    /// <param name="signer">Signs.</param>
    /// <param name="certificates">DER of certificates to send along, the signer's first.</param>
    /// <exception cref="InvalidOperationException">It names no requestor, asks about no certificate, or has an extension twice.</exception>
    public OcspRequest Sign(OcspSigner signer, params IEnumerable<ReadOnlyMemory<byte>> certificates)
    {
        ArgumentNullException.ThrowIfNull(signer);
        if (RequestorName is null)
        {
            throw new InvalidOperationException("A signed request names its requestor (RFC 6960 §4.1.2): set RequestorName.");
        }

        byte[] tbsRequest = EncodeTbsRequest();
        return Finish(tbsRequest, new OcspRequestSignature(signer.Algorithm, signer.Sign(tbsRequest), [.. certificates]));
    }

    private byte[] EncodeTbsRequest()
    {
        if (_requests.Count == 0)
        {
            throw new InvalidOperationException("A request asks about at least one certificate (RFC 6960 §4.1.1).");
        }

        if (_extensions.DistinctBy(extension => extension.Oid).Count() != _extensions.Count)
        {
            throw new InvalidOperationException("A request has each extension at most once (RFC 5280 §4.2).");
        }

        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            if (WriteVersion)
            {
                using (writer.PushSequence(Der.Explicit(0)))
                {
                    writer.WriteInteger(0);
                }
            }

            if (RequestorName is not null)
            {
                using (writer.PushSequence(Der.Explicit(1)))
                {
                    RequestorName.Write(writer);
                }
            }

            using (writer.PushSequence())
            {
                foreach (SingleRequest request in _requests)
                {
                    request.Write(writer);
                }
            }

            new OcspExtensionCollection(_extensions).WriteOptional(writer, 2);
        }

        return writer.Encode();
    }

    // What was written is read back: a builder that could write what its reader refuses would be found here.
    private static OcspRequest Finish(byte[] tbsRequest, OcspRequestSignature? signature)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(tbsRequest);
            if (signature is not null)
            {
                using (writer.PushSequence(Der.Explicit(0)))
                {
                    signature.Write(writer);
                }
            }
        }

        return OcspRequest.Decode(writer.Encode(), new DecodeOptions { MaxCertIds = int.MaxValue, MaxCertificates = int.MaxValue, AcceptRawNonce = true });
    }
}
