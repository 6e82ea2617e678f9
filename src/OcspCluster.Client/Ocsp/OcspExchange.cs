using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>One request to one responder, and what came back, unjudged. Immutable.</summary>
public sealed record OcspExchange
{
    /// <summary>The request.</summary>
    public required OcspRequest Request { get; init; }

    /// <summary>The responder.</summary>
    public required Uri Responder { get; init; }

    /// <summary>GET or POST.</summary>
    public required string Method { get; init; }

    /// <summary>Why nothing came back; <see cref="RevocationFailure.None"/> when an HTTP answer did.</summary>
    public RevocationFailure Failure { get; init; }

    /// <summary>A sentence about the failure, or about an HTTP answer that is no OCSP response.</summary>
    public string Message { get; init; } = "";

    /// <summary>The HTTP status; 0 when there was none.</summary>
    public int HttpStatus { get; init; }

    /// <summary>The Content-Type; null when there was none.</summary>
    public string? ContentType { get; init; }

    /// <summary>The body.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The response; null when the body is not one, and then <see cref="DecodeError"/> says why.</summary>
    public OcspResponse? Response { get; init; }

    /// <summary>What is wrong with the body.</summary>
    public DecodeError DecodeError { get; init; }

    /// <summary>How long it took, retries included.</summary>
    public TimeSpan Elapsed { get; init; }

    internal HttpReply Reply { get; init; } = new();

    /// <summary>
    /// Whether the responder said something that may be judged: HTTP 200 and an OCSP response; an OCSP error under whatever HTTP status, as some send it.
    /// The Content-Type is not asked: what is signed proves itself, and what is not signed is not believed.
    /// </summary>
    internal bool IsAnswer => Response is not null && (HttpStatus == 200 || Response.Status != OcspResponseStatus.Successful);
}
