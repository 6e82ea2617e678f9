using System.Net;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Who calls the admin API, and what they may do. Immutable.</summary>
/// <param name="Credential">The key's id and name, or the client certificate's subject and serial number.</param>
/// <param name="Scopes">What they may do.</param>
/// <param name="RemoteAddress">Where they call from.</param>
internal sealed record ApiCaller(string Credential, IReadOnlyList<ApiScope> Scopes, IPAddress? RemoteAddress)
{
    /// <summary>What the journal records of them. A name longer than it keeps is cut.</summary>
    public Submitter ToSubmitter() => new(Cut(Credential), RemoteAddress?.ToString());

    private static string Cut(string name)
    {
        int length = Math.Min(name.Length, Submitter.MaxCredentialLength);
        return name[..(length < name.Length && char.IsHighSurrogate(name[length - 1]) ? length - 1 : length)];
    }

    /// <summary>Whether a browser presents the credential of its own accord, whoever caused the request.</summary>
    public bool IsAmbient { get; init; }

    /// <summary>When the session ends that they call in; null without one.</summary>
    public DateTimeOffset? SessionEndsAt { get; init; }

    /// <summary>The holder of a key.</summary>
    public static ApiCaller Of(ApiKey key, IPAddress? remoteAddress) =>
        new($"key {key.Id} ({key.Name})", [.. key.Scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : default)], remoteAddress);

    /// <summary>Whether they may do this for an issuer.</summary>
    public bool May(ApiAction action, IssuerId issuer) => Scopes.Any(scope => scope.Allows(action, issuer));

    /// <summary>Whether they may do this for every issuer, those that are added later too.</summary>
    public bool MayForAll(ApiAction action) => Scopes.Any(scope => scope.Issuer is null && (scope.Action == action || scope.Action == ApiAction.Operator));

    /// <summary>Whether they may do this for some issuer.</summary>
    public bool May(ApiAction action) => Scopes.Any(scope => scope.Action == action || scope.Action == ApiAction.Operator);
}
