using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What a caller of the admin API does.</summary>
public enum ApiAction
{
    /// <summary>Reads statuses, histories and policies.</summary>
    Read,

    /// <summary>Submits events.</summary>
    Feed,

    /// <summary>Everything.</summary>
    Operator,
}

/// <summary>An action that is allowed, for one issuer or for all. Written <c>feed:demo</c>, <c>read:*</c> or <c>read</c>.</summary>
/// <param name="Action">What is allowed; <see cref="ApiAction.Operator"/> is all of it.</param>
/// <param name="Issuer">For whose certificates; null for all issuers.</param>
public readonly record struct ApiScope(ApiAction Action, IssuerId? Issuer)
{
    /// <summary>How scopes are written, in words.</summary>
    public const string Rule = "read, feed or operator, and behind a colon an issuer's id or * for all of them, such as feed:demo";

    /// <summary>Reads a scope.</summary>
    /// <returns>False when the text breaks <see cref="Rule"/>.</returns>
    public static bool TryParse(string? text, out ApiScope scope)
    {
        scope = default;
        if (text is null)
        {
            return false;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string issuer = colon < 0 ? "*" : text[(colon + 1)..];
        ApiAction? action = (colon < 0 ? text : text[..colon]) switch
        {
            "read" => ApiAction.Read,
            "feed" => ApiAction.Feed,
            "operator" => ApiAction.Operator,
            _ => null,
        };
        if (action is null || (issuer != "*" && !IssuerId.IsValid(issuer)))
        {
            return false;
        }

        scope = new ApiScope(action.Value, issuer == "*" ? null : new IssuerId(issuer));
        return true;
    }

    /// <summary>Whether it allows an action for an issuer.</summary>
    public bool Allows(ApiAction action, IssuerId issuer) => (Action == ApiAction.Operator || Action == action) && (Issuer is null || Issuer == issuer);

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => $"{(Action switch { ApiAction.Read => "read", ApiAction.Feed => "feed", _ => "operator" })}:{Issuer?.ToString() ?? "*"}";
}
