using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>The standalone host in this process, on free ports and a data directory of its own.</summary>
internal sealed class StandaloneResponderHost : IAuthorityHost
{
    private readonly ScratchDirectory _directory;
    private readonly Dictionary<string, string?> _keys;
    private StandaloneHost _host;

    private StandaloneResponderHost(ScratchDirectory directory, Dictionary<string, string?> keys, TestClock clock, StandaloneHost host)
    {
        _directory = directory;
        _keys = keys;
        Clock = clock;
        _host = host;
    }

    public Uri OcspUri => _host.OcspUris[0];

    public Uri AdminUri => _host.AdminUris[0];

    public TestClock Clock { get; }

    public string DataDirectory => _keys["Data"]!;

    public static async Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock)
    {
        ScratchDirectory directory = new();
        try
        {
            Dictionary<string, string?> keys = new(setup.WriteTo(directory.Path).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            {
                ["Data"] = directory.File("data"),
                ["Ocsp:Url"] = "http://127.0.0.1:0",
                ["Admin:Url"] = "http://127.0.0.1:0",
                ["Logging:LogLevel:Default"] = "Error", // a key that others may read, as tests have it, is a warning
            };
            return new StandaloneResponderHost(directory, keys, clock, await StartAsync(keys, clock));
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public async Task SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events)
    {
        IReadOnlyList<EventOutcome> outcomes = await _host.SubmitAsync(issuer, events);

        // Tests that share a host may issue the same certificates; nothing else may be refused.
        Assert.DoesNotContain(outcomes, outcome => outcome.Kind == EventOutcomeKind.Refused && outcome.Refusal != EventRefusal.AlreadyIssued);
    }

    public string CreateKey(params IReadOnlyList<string> scopes) => Create(scopes, null);

    public string CreateExpiringKey(TimeSpan lifetime) => Create(["read"], lifetime);

    public void RevokeKey(string key) => Assert.True(Keys.Revoke(key[..key.IndexOf('.', StringComparison.Ordinal)]));

    public async Task RestartAsync()
    {
        await _host.DisposeAsync();
        _host = await StartAsync(_keys, Clock);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    // Opened anew each time: what another process does to the file.
    private ApiKeyStore Keys => new(Path.Combine(_keys["Data"]!, ApiKeyStore.FileName), Clock);

    private string Create(IReadOnlyList<string> scopes, TimeSpan? lifetime) =>
        Keys.Create("test", [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new ArgumentException(text))], lifetime).Bearer;

    private static Task<StandaloneHost> StartAsync(Dictionary<string, string?> keys, TestClock clock) =>
        StandaloneHost.StartAsync(ResponderOptions.Read(Settings.FromKeys(keys), clock.GetUtcNow()), clock);
}
