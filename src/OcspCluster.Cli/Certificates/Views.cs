namespace OcspCluster.Cli;

// What the admin API tells of a certificate, as far as the screens show it.

/// <summary>All of one certificate.</summary>
internal sealed record CertificateView(string Serial, string SerialDecimal, StatusView Status, IReadOnlyList<HistoryView> History, IReadOnlyList<CachedResponseView> Responses);

/// <summary>Its status.</summary>
internal sealed record StatusView(string Status, DateTimeOffset? RevocationTime, string? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset? NotAfter, DateTimeOffset? RecordedAt, long Position);

/// <summary>An event of its history.</summary>
internal sealed record HistoryView(long Position, string Id, string Kind, DateTimeOffset At, string? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset ReceivedAt, string? Credential, string? RemoteAddress)
{
    /// <summary>Who told it, in words.</summary>
    public string Submitter => (Credential, RemoteAddress) switch
    {
        (null, "local") => "the responder itself",
        (null, null) => "not recorded",
        (null, _) => $"somebody at {RemoteAddress}",
        (_, null or "local") => Credential,
        _ => $"{Credential} from {RemoteAddress}",
    };

    /// <summary>What it told, in words.</summary>
    public string What => Kind + (Reason is null ? "" : $", {Reason}");
}

/// <summary>A signed answer in the cache.</summary>
internal sealed record CachedResponseView(string Hash, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate);

/// <summary>What would be answered, and why.</summary>
internal sealed record ExplanationView(
    string Serial,
    string Issuer,
    string Hash,
    string Answer,
    IReadOnlyList<string> Because,
    HistoryView? Event,
    SignerView? Signer,
    string Source,
    CachedAnswerView? Cached,
    string Node,
    LeaseView? Lease,
    IReadOnlyList<CacheElsewhereView>? Others);

/// <summary>Who signs.</summary>
internal sealed record SignerView(string Subject, string KeyId, DateTimeOffset NotAfter, string Algorithm);

/// <summary>The answer at hand.</summary>
internal sealed record CachedAnswerView(DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, DateTimeOffset RenewedFrom, long Position, byte[] Bytes);

/// <summary>Whether the node may believe its cache.</summary>
internal sealed record LeaseView(bool IsHeld, double SecondsLeft);

/// <summary>The cache of another node.</summary>
internal sealed record CacheElsewhereView(string Node, bool? Holds, long? Position);
