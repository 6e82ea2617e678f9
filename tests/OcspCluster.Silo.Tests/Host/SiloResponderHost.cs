using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Host;
using OcspCluster.Silo.Storage;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>
/// A cluster of two silos in this process, over a real Redis: events are submitted at one, and the other is asked. So every contract is one of the cluster, too: what one silo acknowledged, the other knows.
/// </summary>
internal sealed class SiloResponderHost : IAuthorityHost
{
    private readonly ScratchDirectory _directory;
    private readonly Dictionary<string, string?>[] _keys;
    private readonly RedisConnection _redis;
    private SiloHost[] _silos;

    private SiloResponderHost(ScratchDirectory directory, Dictionary<string, string?>[] keys, RedisConnection redis, TestClock clock, SiloHost[] silos)
    {
        _directory = directory;
        _keys = keys;
        _redis = redis;
        Clock = clock;
        _silos = silos;
    }

    public Uri OcspUri => _silos[^1].OcspUris[0];

    public Uri AdminUri => _silos[^1].AdminUris[0];

    public TestClock Clock { get; }

    /// <summary>Two silos that sign.</summary>
    public static Task<IResponderHost> StartSignersAsync(ResponderSetup setup, TestClock clock) => StartAsync(setup, clock, "signer");

    /// <summary>One silo that signs, and one that is asked and has no key.</summary>
    public static Task<IResponderHost> StartWithGatewayAsync(ResponderSetup setup, TestClock clock) => StartAsync(setup, clock, "gateway");

    public async Task SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events)
    {
        IReadOnlyList<EventOutcome> outcomes = await _silos[0].SubmitAsync(issuer, events);

        // Tests that share a host may issue the same certificates; nothing else may be refused.
        Assert.DoesNotContain(outcomes, outcome => outcome.Kind == EventOutcomeKind.Refused && outcome.Refusal != EventRefusal.AlreadyIssued);
    }

    public string CreateKey(params IReadOnlyList<string> scopes) => Create(scopes, null);

    public string CreateExpiringKey(TimeSpan lifetime) => Create(["read"], lifetime);

    public void RevokeKey(string key) => Assert.True(Keys.Revoke(key[..key.IndexOf('.', StringComparison.Ordinal)]));

    public async Task RestartAsync()
    {
        await EndAsync(_silos);
        _silos = await StartAsync(_keys, Clock);
    }

    /// <summary>Until each silo has its leases and knows what was issued: before, it asks the store itself, and what it signs meanwhile is not kept.</summary>
    public async Task SettleAsync()
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(20));
        while (!_silos.All(silo => silo.Services.GetRequiredService<CoherenceDirectory>().All.All(issuer => issuer.Coherence.HasLease && issuer.Coherence.Issued.Position >= issuer.Coherence.Known)))
        {
            await timer.WaitForNextTickAsync(late.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_silos);
        await _redis.DisposeAsync();
        _directory.Dispose();
    }

    // Opened anew each time: what another process does.
    private ApiKeyStore Keys => new(new RedisApiKeys(_redis), Clock);

    private string Create(IReadOnlyList<string> scopes, TimeSpan? lifetime) =>
        Keys.Create("test", [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new ArgumentException(text))], lifetime).Bearer;

    private static async Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock, string secondRole)
    {
        RedisServer server = await HostRedis.GetAsync();
        string cluster = HostRedis.NewCluster();
        ScratchDirectory directory = new();
        try
        {
            IReadOnlyDictionary<string, string> common = setup.WriteTo(directory.Path);

            // Receivers are told by the silo that is asked about them; another would say that they are told elsewhere.
            Dictionary<string, string> first = new(common.Where(pair => !pair.Key.StartsWith("Webhooks:", StringComparison.Ordinal) && !pair.Key.StartsWith("Purge:", StringComparison.Ordinal)));
            Dictionary<string, string?>[] keys = [ToKeys(first, "signer"), ToKeys(secondRole == "gateway" ? WithoutKeys(setup, common, directory.Path) : common, secondRole)];
            SiloHost[] silos = await StartAsync(keys, clock);
            return new SiloResponderHost(directory, keys, await RedisConnection.OpenAsync(server.Configuration, new RedisKeys(cluster)), clock, silos);
        }
        catch
        {
            directory.Dispose();
            throw;
        }

        Dictionary<string, string?> ToKeys(IReadOnlyDictionary<string, string> settings, string role) =>
            new(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            {
                ["Redis:Configuration"] = server.Configuration,
                ["Redis:KeyPrefix"] = cluster,
                ["Cluster:ClusterId"] = cluster,
                ["Cluster:SiloPort"] = Ports.Next(),
                ["Cluster:GatewayPort"] = "0",
                ["Cluster:Role"] = role,
                ["Cluster:CallDeadline"] = "00:00:20", // a busy machine: a second is what it takes to lose a processor, and the answer is tryLater then
                ["Cluster:ProbeTimeout"] = "00:00:02",
                ["Data"] = directory.File("data-of-" + role + "s"), // signers may share one, as those of the README's commands do
                ["Ocsp:Url"] = "http://127.0.0.1:0",
                ["Admin:Url"] = "http://127.0.0.1:0",
                ["Logging:LogLevel:Default"] = "Error", // a key that others may read, as tests have it, is a warning
                ["Logging:LogLevel:Orleans"] = "Error",
            };
    }

    // The certificates alone, as an operator gives them to a gateway. The key's file is named all the same, and is not there: it is not read.
    private static Dictionary<string, string> WithoutKeys(ResponderSetup setup, IReadOnlyDictionary<string, string> settings, string directory)
    {
        Dictionary<string, string> without = new(settings);
        foreach (IssuerSetup issuer in setup.Issuers)
        {
            string responder = $"Issuers:{issuer.Id}:Responder:";
            without.Remove(responder + "Pfx");
            without[responder + "Certificate"] = issuer.Responder.WriteCertificate(directory, issuer.Id + "-public");
            foreach (string key in settings.Keys.Where(key => key.StartsWith($"Issuers:{issuer.Id}:Responder", StringComparison.Ordinal) && key.EndsWith(":Key", StringComparison.Ordinal)))
            {
                without[key] = Path.Combine(directory, "no-such-key.pem");
            }
        }

        return without;
    }

    private static async Task<SiloHost[]> StartAsync(Dictionary<string, string?>[] keys, TestClock clock)
    {
        List<SiloHost> silos = [];
        try
        {
            foreach (Dictionary<string, string?> one in keys)
            {
                silos.Add(await SiloHost.StartAsync(SiloHostOptions.Read(Settings.FromKeys(one), clock.GetUtcNow()), new ClusterClock(clock)));
            }

            return [.. silos];
        }
        catch
        {
            await EndAsync(silos);
            throw;
        }
    }

    private static async Task EndAsync(IEnumerable<SiloHost> silos)
    {
        foreach (SiloHost silo in silos.Reverse())
        {
            await silo.DisposeAsync();
        }
    }
}
