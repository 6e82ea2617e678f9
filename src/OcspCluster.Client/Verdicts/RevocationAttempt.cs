using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>One try to learn a status, and what became of it. Immutable.</summary>
public sealed record RevocationAttempt
{
    /// <summary>What was tried.</summary>
    public required RevocationSource Source { get; init; }

    /// <summary>Where; null when nothing was asked over the network.</summary>
    public Uri? Uri { get; init; }

    /// <summary>GET or POST; null when nothing was asked over the network.</summary>
    public string? Method { get; init; }

    /// <summary>Whether the answer came from the client's store.</summary>
    public bool FromStore { get; init; }

    /// <summary>Why it told nothing; <see cref="RevocationFailure.None"/> when it did.</summary>
    public RevocationFailure Failure { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>The rule that an OCSP response kept or broke; null when none was read.</summary>
    public OcspVerificationOutcome? Outcome { get; init; }

    /// <summary>The error that the responder answered with; null when it did not.</summary>
    public OcspResponseStatus? ResponderError { get; init; }

    /// <summary>The HTTP status; null when there was none.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The sentence, with the place.</summary>
    public override string ToString() => Uri is null ? $"{SourceName}: {Message}" : $"{SourceName} {Uri}: {Message}";

    private string SourceName => Source switch
    {
        RevocationSource.Ocsp => "OCSP",
        RevocationSource.Crl => "CRL",
        _ => "Stapled response",
    };
}
