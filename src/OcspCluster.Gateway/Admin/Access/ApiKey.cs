using System.Text.Json.Serialization;

namespace OcspCluster.Gateway;

/// <summary>An API key as it is kept: everything but its secret. Immutable.</summary>
public sealed record ApiKey
{
    /// <summary>What it is called by: 16 hexadecimal digits, the part before the point.</summary>
    public required string Id { get; init; }

    /// <summary>What the operator calls it.</summary>
    public required string Name { get; init; }

    /// <summary>What it allows, as <see cref="ApiScope.ToString"/> writes it.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is not taken any more; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was revoked; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>
    /// The SHA-256 of its secret in hexadecimal. The secret has 256 random bits: nobody can try them all, so a hash that is slow on purpose would cost every request and gain nothing.
    /// </summary>
    [JsonInclude]
    internal string SecretHash { get; init; } = "";

    /// <summary>Whether it is taken at a time.</summary>
    public bool IsValidAt(DateTimeOffset now) => RevokedAt is null && !(ExpiresAt <= now);
}
