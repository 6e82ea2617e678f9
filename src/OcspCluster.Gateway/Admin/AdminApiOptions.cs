using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace OcspCluster.Gateway;

/// <summary>What the admin API takes, and from whom.</summary>
public sealed class AdminApiOptions
{
    /// <summary>The file with the hashes of the API keys.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The CAs whose client certificates are taken in place of a key; none where empty. The listener must ask for certificates (<see cref="AdminTls"/>).</summary>
    public X509Certificate2Collection ClientCa { get; } = [];

    /// <summary>What certain client certificates may do. Where there are any, the others may do no more than <see cref="ClientScopes"/> says.</summary>
    public IList<ClientCertificateGrant> Clients { get; } = [];

    /// <summary>What a client certificate may do of which <see cref="Clients"/> says nothing, as <see cref="ApiScope.TryParse"/> reads it. Default <c>feed</c> and <c>read</c>, of all issuers; nothing where there are <see cref="Clients"/>.</summary>
    public IList<string>? ClientScopes { get; set; }

    /// <summary>What <see cref="ClientScopes"/> comes to.</summary>
    internal IEnumerable<string> EffectiveClientScopes => ClientScopes ?? (Clients.Count == 0 ? ["feed", "read"] : []);

    /// <summary>The wrong keys and certificates that one remote address presents in a minute before it hears 429 instead of 401; a valid credential is taken all the same. 1 to 1,000,000. Default 60.</summary>
    public int FailuresPerMinute { get; set; } = 60;

    /// <summary>How long somebody who logged in to the dashboard stays so. 1 minute to 7 days. Default 8 hours.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary>The most requests per second by one credential; as many may come at once. More are 429. 1 to 1,000,000. Default 5,000.</summary>
    public int RequestsPerSecond { get; set; } = 5000;

    /// <summary>Whether <c>/metrics</c> needs a credential with the scope <c>read</c> for all issuers, as everything else does. Default true.</summary>
    public bool MetricsNeedKey { get; set; } = true;

    /// <summary>The most events in one batch; a stream has no limit. 1 to 100,000. Default 10,000.</summary>
    public int MaxBatchEvents { get; set; } = 10_000;

    /// <summary>The longest body of a batch, in octets; a longer one is 413. 1,024 to 1,073,741,824. Default 33,554,432.</summary>
    public int MaxBatchBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>The longest line of a stream, in octets; a longer one is malformed. 256 to 524,288. Default 65,536.</summary>
    public int MaxLineBytes { get; set; } = 64 * 1024;
}

/// <summary>Finds every value that breaks its bounds, and names key, value and bound.</summary>
internal sealed class AdminApiOptionsValidator : IValidateOptions<AdminApiOptions>
{
    public ValidateOptionsResult Validate(string? name, AdminApiOptions options)
    {
        List<string> errors = [];
        if (options.KeyFile.Length == 0)
        {
            errors.Add($"Admin:{nameof(options.KeyFile)} is empty: the file with the API keys");
        }

        Check(nameof(options.RequestsPerSecond), options.RequestsPerSecond, 1, 1_000_000);
        Check(nameof(options.FailuresPerMinute), options.FailuresPerMinute, 1, 1_000_000);
        if (options.SessionLifetime < TimeSpan.FromMinutes(1) || options.SessionLifetime > TimeSpan.FromDays(7))
        {
            errors.Add($"Admin:{nameof(options.SessionLifetime)} is {options.SessionLifetime}: 00:01:00 to 7.00:00:00");
        }

        Check(nameof(options.MaxBatchEvents), options.MaxBatchEvents, 1, 100_000);
        Check(nameof(options.MaxBatchBytes), options.MaxBatchBytes, 1024, 1 << 30);
        Check(nameof(options.MaxLineBytes), options.MaxLineBytes, 256, 512 * 1024);
        errors.AddRange(options.EffectiveClientScopes.Where(scope => !ApiScope.TryParse(scope, out _)).Select(scope => $"Admin:{nameof(options.ClientScopes)} has '{scope}': {ApiScope.Rule}"));
        errors.AddRange(options.Clients.SelectMany(client => client.FindErrors().Select(error => $"Admin:{nameof(options.Clients)}:{client.Name} {error}")));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Check(string key, long value, long least, long most)
        {
            if (value < least || value > most)
            {
                errors.Add($"Admin:{key} is {value}: {least} to {most}");
            }
        }
    }
}
