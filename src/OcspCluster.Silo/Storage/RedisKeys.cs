using System.Text.RegularExpressions;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>
/// The names of all keys. What belongs to an issuer has its hash tag, <c>{ocsp:issuer}</c>, so that it lies in one slot of a
/// Redis Cluster and one script can write all of it. Immutable.
/// </summary>
public sealed partial class RedisKeys
{
    /// <summary>The prefix where none is configured.</summary>
    public const string DefaultPrefix = "ocsp";

    /// <summary>The field of <see cref="Head"/> that holds the journal's last position, in decimal; absent is 0.</summary>
    public const string PositionField = "position";

    /// <summary>Takes the prefix.</summary>
    /// <exception cref="ArgumentException">It is not 1 to 32 of a–z, 0–9, '-', '_', '.'.</exception>
    public RedisKeys(string prefix = DefaultPrefix)
    {
        Prefix = IsPrefix(prefix) ? prefix : throw new ArgumentException($"'{prefix}' is not a prefix of keys: 1 to 32 of a-z, 0-9, '-', '_', '.'.", nameof(prefix));
        Schema = $"{{{prefix}}}:schema";
        Issuers = $"{{{prefix}}}:issuers";
    }

    /// <summary>What every name begins with, within its hash tag.</summary>
    public string Prefix { get; }

    /// <summary>The version of the layout, in decimal.</summary>
    public RedisKey Schema { get; }

    /// <summary>The set of the issuers that have a journal.</summary>
    public RedisKey Issuers { get; }

    /// <summary>Whether a text can be a prefix.</summary>
    public static bool IsPrefix(string? prefix) => prefix is not null && Pattern().IsMatch(prefix);

    /// <summary>A key of an issuer.</summary>
    /// <param name="issuer">Which issuer.</param>
    /// <param name="name">The part after the hash tag and the colon.</param>
    public RedisKey Of(IssuerId issuer, string name) => $"{Tag(issuer)}:{name}";

    /// <summary>The hash tag of an issuer, with its braces.</summary>
    public string Tag(IssuerId issuer) => $"{{{Prefix}:{issuer}}}";

    /// <summary>The end of an issuer's journal: a hash with at least <see cref="PositionField"/>.</summary>
    public RedisKey Head(IssuerId issuer) => Of(issuer, "head");

    /// <summary>The leases that the issuer's actor granted.</summary>
    public RedisKey Leases(IssuerId issuer) => Of(issuer, "leases");

    [GeneratedRegex(@"^[a-z0-9._-]{1,32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
