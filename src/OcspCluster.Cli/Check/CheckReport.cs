using OcspCluster.Client;

namespace OcspCluster.Cli;

/// <summary>What a check of one server or file found. Immutable.</summary>
internal sealed record CheckReport
{
    /// <summary>What was checked, as the user would name it.</summary>
    public required string Target { get; init; }

    /// <summary>What the handshake showed; null for a file, and when there was none.</summary>
    public ServerCertificates? Server { get; init; }

    /// <summary>The verdicts, the leaf's first; empty when there was no certificate to judge.</summary>
    public IReadOnlyList<RevocationVerdict> Verdicts { get; init; } = [];

    /// <summary>Why there was no certificate to judge; null when there was.</summary>
    public string? Failure { get; init; }

    /// <summary>What else is wrong, or worth knowing; a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How the user may get further; a sentence each.</summary>
    public IReadOnlyList<string> Advice { get; init; } = [];

    /// <summary>The time at which the report was made.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The status that counts.</summary>
    public RevocationStatus Status => Decisive?.Status ?? RevocationStatus.CouldNotTell;

    /// <summary>The verdict that counts: a revoked one before one that could not be told, before unknown, before good.</summary>
    public RevocationVerdict? Decisive => Verdicts.MaxBy(verdict => verdict.Status switch
    {
        RevocationStatus.Revoked => 3,
        RevocationStatus.CouldNotTell => 2,
        RevocationStatus.Unknown => 1,
        _ => 0,
    });
}
