namespace OcspCluster.Client;

/// <summary>How long an answer is kept: what HTTP says is a hint, the times in the answer are the bound (RFC 9919 §7.1, RFC 9111 §4.2). Pure.</summary>
internal static class Freshness
{
    public static StoredResponse Entry(ReadOnlyMemory<byte> body, DateTimeOffset nextUpdate, HttpReply reply, DateTimeOffset now) => new()
    {
        Body = body,
        FreshUntil = FreshUntil(nextUpdate, reply.Lifetime, now),
        UsableUntil = nextUpdate,
        ETag = reply.ETag,
    };

    private static DateTimeOffset FreshUntil(DateTimeOffset nextUpdate, TimeSpan? lifetime, DateTimeOffset now)
    {
        TimeSpan left = nextUpdate > now ? nextUpdate - now : TimeSpan.Zero;
        TimeSpan fresh = lifetime is TimeSpan told && told < left ? told : left;
        return now + (fresh > TimeSpan.Zero ? fresh : TimeSpan.Zero);
    }
}
