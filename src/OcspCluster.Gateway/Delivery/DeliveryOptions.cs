using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Where a receiver that is new begins.</summary>
public enum DeliveryStart
{
    /// <summary>At the end of the journal: it is told what comes.</summary>
    Now,

    /// <summary>At the beginning of the journal: it is told everything.</summary>
    Beginning,
}

/// <summary>How a webhook's body is written.</summary>
public enum WebhookFormat
{
    /// <summary>One object: type, timestamp, and the events in data.</summary>
    Json,

    /// <summary>A CloudEvents 1.0 batch.</summary>
    CloudEvents,
}

/// <summary>How a cache is told to forget.</summary>
public enum PurgeStyle
{
    /// <summary>One request per cache key, whose target is the key's.</summary>
    Url,

    /// <summary>A POST with a list of cache keys.</summary>
    Json,
}

/// <summary>Somebody who is told of the journal's entries: what webhooks and purges have in common.</summary>
public abstract class ReceiverOptions
{
    /// <summary>The operator's name of it, of the form of an <see cref="IssuerId"/>; its cursor is kept under it.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is called; null for a purge that goes to the public URLs themselves.</summary>
    public Uri? Url { get; init; }

    /// <summary>Whose events; empty for all issuers.</summary>
    public IReadOnlyList<IssuerId> Issuers { get; init; } = [];

    /// <summary>Which kinds of events; empty for the default: all, and for a purge those that can make an answer in a cache wrong.</summary>
    public IReadOnlyList<EventKind> Kinds { get; init; } = [];

    /// <summary>Where it begins when it is new. Default <see cref="DeliveryStart.Now"/>.</summary>
    public DeliveryStart From { get; init; }

    /// <summary>How long one request may take. 100 ms to 5 minutes. Default 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Events in one message, or purged at once, at most. 1 to 1,000. Default 100 for a webhook and 10 for a purge.</summary>
    public int BatchSize { get; init; }

    /// <summary>The longest pause between two attempts. 1 second to 1 hour. Default 5 minutes.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How old an undelivered event may be before operators are warned. 1 second to 30 days. Default 5 minutes.</summary>
    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The CAs that its certificate must lead to; the system's where empty.</summary>
    public X509Certificate2Collection TrustedRoots { get; init; } = [];

    /// <summary>The proxy that leads to it; null for none. The environment's is not taken.</summary>
    public Uri? Proxy { get; init; }
}

/// <summary>A webhook: events as signed JSON.</summary>
public sealed class WebhookOptions : ReceiverOptions
{
    /// <summary>The files with the secrets, at least one; every message is signed with each of them. Read again for each message, so that they can be replaced while the program runs.</summary>
    public required IReadOnlyList<string> SecretFiles { get; init; }

    /// <summary>How the body is written. Default <see cref="WebhookFormat.Json"/>.</summary>
    public WebhookFormat Format { get; init; }
}

/// <summary>A cache between relying parties and us that is told to forget what a change of status made wrong.</summary>
public sealed class PurgeOptions : ReceiverOptions
{
    /// <summary>The URLs that relying parties use (those in the certificates' authorityInfoAccess), at least one.</summary>
    public required IReadOnlyList<Uri> PublicUrls { get; init; }

    /// <summary>How. Default <see cref="PurgeStyle.Url"/>.</summary>
    public PurgeStyle Style { get; init; }

    /// <summary>The method of a request; PURGE by default, POST with <see cref="PurgeStyle.Json"/>.</summary>
    public string? Method { get; init; }

    /// <summary>The body, with <see cref="PurgeStyle.Json"/>: <c>$urls</c> in it stands for an array of URLs, <c>$paths</c> for one of their paths.</summary>
    public string Body { get; init; } = """{"files":$urls}""";

    /// <summary>Cache keys in one body at most. 1 to 1,000. Default 30.</summary>
    public int ChunkSize { get; init; } = 30;

    /// <summary>Headers of every request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The header that proves who we are. Default Authorization.</summary>
    public string AuthorizationHeader { get; init; } = "Authorization";

    /// <summary>The file whose first line is that header's value; null for none. Read again for each batch.</summary>
    public string? AuthorizationFile { get; init; }

    /// <summary>Requests per second at most; as many may come at once. 1 to 10,000. Default 20.</summary>
    public int RequestsPerSecond { get; init; } = 20;

    /// <summary>Statuses beside 2xx that mean that nothing is kept under the key, such as 404 and 412 of nginx. Default none.</summary>
    public IReadOnlyList<int> NotCached { get; init; } = [];
}

/// <summary>All receivers.</summary>
public sealed class DeliveryOptions
{
    /// <summary>How long a host's lease of a receiver lasts: how soon another one takes over.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>The webhooks. No two receivers have one name.</summary>
    public IReadOnlyList<WebhookOptions> Webhooks { get; init; } = [];

    /// <summary>The caches.</summary>
    public IReadOnlyList<PurgeOptions> Purges { get; init; } = [];

    /// <summary>This host among those that share a store. One that comes back under its name goes on at once, so no two may have the same.</summary>
    public string Holder { get; init; } = "standalone";

    /// <summary>The same receivers, for one of several hosts.</summary>
    public DeliveryOptions For(string holder) => new() { Webhooks = Webhooks, Purges = Purges, Holder = holder };
}
