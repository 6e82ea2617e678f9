using System.Globalization;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Hosting.Keys;

/// <summary>The verb <c>keys</c>: makes, lists and revokes API keys. The responder may run meanwhile, and knows of it at once.</summary>
internal static class KeysRun
{
    /// <summary>Makes a key and prints it: this once.</summary>
    public static async Task<int> CreateAsync(Func<Task<ApiKeyStore>> open, string name, IReadOnlyList<string> scopes, int? days, TextWriter output)
    {
        List<ConfigurationProblem> problems = [];
        List<ApiScope> allowed = [];
        foreach (string text in scopes)
        {
            if (ApiScope.TryParse(text, out ApiScope scope))
            {
                allowed.Add(scope);
            }
            else
            {
                problems.Add(new("--scope", text, $"is not {ApiScope.Rule}"));
            }
        }

        if (days is < 1 or > 36_500)
        {
            problems.Add(new("--days", days.Value.ToString(CultureInfo.InvariantCulture), "is not 1 to 36500"));
        }

        if (name.Length is 0 or > 100 || name.Any(char.IsControl))
        {
            problems.Add(new("--name", name, "is not 1 to 100 characters"));
        }

        if (problems.Count > 0)
        {
            throw new ConfigurationException(problems);
        }

        (string bearer, ApiKey key) = (await open().ConfigureAwait(false)).Create(name, allowed, days is null ? null : TimeSpan.FromDays(days.Value));
        output.WriteLine(bearer);
        output.WriteLine($"Keep it: it is nowhere else. Send it as 'Authorization: Bearer {key.Id}.…'; revoke it with 'keys revoke {key.Id}'.");
        return ExitCodes.Success;
    }

    /// <summary>Prints every key without its secret, one per line with tabs between: id, state, scopes, made, expires, name.</summary>
    public static async Task<int> ListAsync(Func<Task<ApiKeyStore>> open, TextWriter output)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        foreach (ApiKey key in (await open().ConfigureAwait(false)).List())
        {
            string state = key.RevokedAt is not null ? "revoked" : key.IsValidAt(now) ? "valid" : "expired";
            output.WriteLine(string.Join('\t', key.Id, state, string.Join(' ', key.Scopes), Time(key.CreatedAt), key.ExpiresAt is { } end ? Time(end) : "never", key.Name));
        }

        return ExitCodes.Success;
    }

    /// <summary>Revokes a key.</summary>
    public static async Task<int> RevokeAsync(Func<Task<ApiKeyStore>> open, string id, TextWriter output)
    {
        ApiKeyStore store = await open().ConfigureAwait(false);
        if (!store.Revoke(id))
        {
            throw new ConfigurationException([new("ID", id, $"there is no such key; 'keys list' shows them all")]);
        }

        output.WriteLine($"Revoked: {id}. It is refused from the next request on.");
        return ExitCodes.Success;
    }

    /// <summary>The keys of a data directory.</summary>
    /// <exception cref="ConfigurationException">There is no such directory.</exception>
    public static ApiKeyStore Open(Settings settings)
    {
        string directory = ResponderOptions.ReadDataDirectory(settings);
        if (!Directory.Exists(directory))
        {
            throw new ConfigurationException([new("Data", directory, "there is no such directory: start the responder once, or give --data")]);
        }

        return new ApiKeyStore(Path.Combine(directory, ApiKeyStore.FileName), TimeProvider.System);
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
