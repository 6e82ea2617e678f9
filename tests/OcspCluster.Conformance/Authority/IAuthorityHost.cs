namespace OcspCluster.Conformance;

/// <summary>A running responder whose CA tells it over HTTP what it issued and revoked.</summary>
public interface IAuthorityHost : IResponderHost
{
    /// <summary>Makes an API key, as the operator's command does, and gives what goes behind <c>Bearer</c>.</summary>
    /// <param name="scopes">What it allows, such as <c>feed:alpha</c>.</param>
    string CreateKey(params IReadOnlyList<string> scopes);

    /// <summary>Makes a key that expires.</summary>
    string CreateExpiringKey(TimeSpan lifetime);

    /// <summary>Revokes a key, in another process as it were.</summary>
    void RevokeKey(string key);
}
