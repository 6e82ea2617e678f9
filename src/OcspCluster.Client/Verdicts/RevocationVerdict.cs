using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>The judged status of one certificate, with its evidence, or why there is none. Immutable.</summary>
public sealed record RevocationVerdict
{
    /// <summary>The certificate.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>Its issuer; null when it was not found.</summary>
    public X509Certificate2? Issuer { get; init; }

    /// <summary>The status.</summary>
    public required RevocationStatus Status { get; init; }

    /// <summary>Since when it is revoked; null when it is not.</summary>
    public DateTimeOffset? RevocationTime { get; init; }

    /// <summary>Why it was revoked; null when it is not, or when it is not told.</summary>
    public RevocationReason? RevocationReason { get; init; }

    /// <summary>What the status rests on; null exactly when it could not be told.</summary>
    public RevocationEvidence? Evidence { get; init; }

    /// <summary>Why it could not be told; <see cref="RevocationFailure.None"/> when it could.</summary>
    public RevocationFailure Failure { get; init; }

    /// <summary>Everything that was tried, in its order.</summary>
    public IReadOnlyList<RevocationAttempt> Attempts { get; init; } = [];

    /// <summary>A sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>The sentence.</summary>
    public override string ToString() => Message;
}

/// <summary>The judged statuses of a chain: every certificate but the trust anchor. Immutable.</summary>
public sealed record ChainVerdict
{
    internal ChainVerdict(IReadOnlyList<RevocationVerdict> certificates) => Certificates = certificates;

    /// <summary>One verdict for each certificate that was checked, the leaf's first. Checking stops at a revoked one.</summary>
    public IReadOnlyList<RevocationVerdict> Certificates { get; }

    /// <summary>The verdict that counts: a revoked one before one that could not be told, then unknown, then good; of equals the one nearest to the leaf.</summary>
    public RevocationVerdict Decisive => Certificates.MaxBy(verdict => Strictness(verdict.Status))!;

    /// <summary>The status that counts.</summary>
    public RevocationStatus Status => Decisive.Status;

    /// <summary>The sentence that counts.</summary>
    public override string ToString() => Decisive.Message;

    private static int Strictness(RevocationStatus status) => status switch
    {
        RevocationStatus.Revoked => 3,
        RevocationStatus.CouldNotTell => 2,
        RevocationStatus.Unknown => 1,
        _ => 0,
    };
}
