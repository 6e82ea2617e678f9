using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Conformance;
using OcspCluster.Silo.Tests.Host;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.History;

/// <summary>
/// Silo processes over a real Redis, by the real clock, each with something that starts it again. Where the machine lets us each lives in a network namespace, so that it can be cut off from the others and from Redis.
/// Ends everything by its id.
/// </summary>
internal sealed class SiloHistoryHost : IHistoryHost
{
    /// <summary>As many as the history is about.</summary>
    public const int Silos = 3;

    private const string OperatorKeyFileName = "admin.key";
    private const double LastStrike = 0.8;

    // Long enough that the cluster is whole again before the next, on a machine that has time.
    private static readonly TimeSpan s_spacing = TimeSpan.FromSeconds(12);

    private readonly ScratchDirectory _directory = new();
    private readonly HashSet<string> _planned = [];
    private readonly ConcurrentDictionary<string, bool> _struck = [];
    private readonly List<SupervisedSilo> _silos = [];
    private readonly List<NamespaceRelay> _relays = [];
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly SiloNetwork? _network;

    private SiloHistoryHost(ResponderSetup setup, SiloNetwork? network, RedisServer redis)
    {
        _network = network;
        _settings = setup.WriteTo(_directory.Path);
        Redis = redis;
        Issuer = setup.Issuers[0].Id;
        IssuerCertificate = setup.Issuers[0].Certificate;
        ResponderCertificate = setup.Issuers[0].Responder.Certificate;
    }

    public RedisServer Redis { get; }

    public IReadOnlyList<IHistoryGateway> Gateways => _silos;

    public string Issuer { get; }

    public X509Certificate2 IssuerCertificate { get; }

    public X509Certificate2 ResponderCertificate { get; }

    public string AdminKey => File.ReadAllText(_directory.File(Path.Combine("data-0", OperatorKeyFileName))).Trim();

    public static async Task<IHistoryHost> StartAsync(ResponderSetup setup, int silos, bool hasNetwork) => await StartSilosAsync(setup, silos, hasNetwork);

    /// <summary>Starts Redis and the silos, one after the other.</summary>
    public static async Task<SiloHistoryHost> StartSilosAsync(ResponderSetup setup, int silos, bool hasNetwork)
    {
        SiloNetwork? network = hasNetwork ? await SiloNetwork.CreateAsync(silos) : null;
        SiloHistoryHost? host = null;
        try
        {
            // Only the silos reach it there.
            RedisServer redis = await (network is null ? RedisServer.StartAsync() : RedisServer.StartAsync("--bind", "127.0.0.1", network.RedisAddress, "--protected-mode", "no"));
            host = new SiloHistoryHost(setup, network, redis);
            for (int silo = 0; silo < silos; silo++)
            {
                await host.AddAsync();
            }

            return host;
        }
        catch
        {
            await (host?.DisposeAsync() ?? network?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    /// <summary>Starts one more and returns when it answers. With a network there must be room.</summary>
    public async Task<SupervisedSilo> AddAsync()
    {
        int number = _silos.Count;
        string redis = string.Create(CultureInfo.InvariantCulture, $"{_network?.RedisAddress ?? "127.0.0.1"}:{Redis.Port}");
        List<string> arguments = ["--redis", redis, "--data", _directory.File(string.Create(CultureInfo.InvariantCulture, $"data-{number}")), "--gateway-port", "0"];
        foreach ((string key, string value) in _settings.Append(KeyValuePair.Create("Logging:LogLevel:Default", "Error")).Append(KeyValuePair.Create("Logging:LogLevel:Orleans", "Error")))
        {
            arguments.AddRange(["--set", $"{key}={value}"]);
        }

        SupervisedSilo silo;
        string name = string.Create(CultureInfo.InvariantCulture, $"silo {number}");
        if (_network is null)
        {
            silo = new SupervisedSilo(name, _directory.Path, [], [.. arguments, "--silo-port", Ports.Next(), "--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"], addresses: null);
        }
        else
        {
            string ocsp = $"http://{_network.ClientAddressOf(number)}:8080";
            NamespaceRelay relay = new(_network.NamespaceOf(number), 8081);
            _relays.Add(relay);
            silo = new SupervisedSilo(
                name,
                _directory.Path,
                ["ip", "netns", "exec", _network.NamespaceOf(number)],
                [.. arguments, "--silo-port", "11111", "--set", "Cluster:AdvertisedAddress=" + _network.AddressOf(number), "--ocsp", ocsp, "--admin", "http://127.0.0.1:8081"],
                (new Uri(ocsp), relay.Uri));
        }

        _silos.Add(silo);
        await silo.StartAsync();
        return silo;
    }

    /// <summary>Every kind of fault once, and again for as long as there is time; then and when two at once.</summary>
    public IReadOnlyList<HistoryFault> PlanFaults(Random random, TimeSpan length)
    {
        Kind[] ofSilos = _network is null ? [KillSilo, PauseSilo] : [KillSilo, PauseSilo, CutSiloOff];
        Kind[] kinds = [.. ofSilos, PauseRedis, KillRedis];

        TimeSpan spacing = length * LastStrike / kinds.Length;
        spacing = spacing > s_spacing ? s_spacing : spacing;
        List<HistoryFault> faults = [];
        for (TimeSpan at = spacing / 3; at <= length * LastStrike;)
        {
            bool isFirstRound = faults.Count == 0;
            random.Shuffle(kinds);
            foreach (Kind kind in kinds)
            {
                (string name, Func<CancellationToken, Task> strike) = kind(random);
                if (!isFirstRound && random.Next(3) == 0)
                {
                    (string other, Func<CancellationToken, Task> too) = ofSilos[random.Next(ofSilos.Length)](random);
                    faults.Add(new HistoryFault($"{name}, and {other}", at, stop => Task.WhenAll(strike(stop), too(stop))));
                }
                else
                {
                    faults.Add(new HistoryFault(name, at, strike));
                }

                at += spacing;
            }
        }

        return faults;
    }

    public IReadOnlyList<string> FindMissedFaults() => [.. _planned.Where(kind => !_struck.ContainsKey(kind))];

    public async ValueTask DisposeAsync()
    {
        foreach (SupervisedSilo silo in _silos)
        {
            await silo.DisposeAsync();
        }

        foreach (NamespaceRelay relay in _relays)
        {
            await relay.DisposeAsync();
        }

        await Redis.DisposeAsync();
        await (_network?.DisposeAsync() ?? ValueTask.CompletedTask);
        _directory.Dispose();
    }

    private delegate (string Name, Func<CancellationToken, Task> StrikeAsync) Kind(Random random);

    private static TimeSpan Between(Random random, double least, double most) => TimeSpan.FromSeconds(least + ((most - least) * random.NextDouble()));

    // The silo that the seed says; where that one is just being started again, another.
    private SiloProcess? Find(int silo) => Enumerable.Range(0, _silos.Count).Select(i => _silos[(silo + i) % _silos.Count].Process).FirstOrDefault(process => process is not null);

    private (string Name, Func<CancellationToken, Task> StrikeAsync) KillSilo(Random random)
    {
        int silo = random.Next(_silos.Count);
        _planned.Add(nameof(KillSilo));
        return ($"kill -9 of silo {silo}", _ =>
        {
            if (Find(silo) is { } process && process.Kill())
            {
                _struck[nameof(KillSilo)] = true;
            }

            return Task.CompletedTask;
        }
        );
    }

    private (string Name, Func<CancellationToken, Task> StrikeAsync) PauseSilo(Random random)
    {
        int silo = random.Next(_silos.Count);
        TimeSpan time = Between(random, 2.5, 6); // the lease is 2 s
        _planned.Add(nameof(PauseSilo));
        return (string.Create(CultureInfo.InvariantCulture, $"SIGSTOP of silo {silo} for {time.TotalSeconds:F1} s"), async stop =>
        {
            SiloProcess? process = Find(silo);
            process?.Pause();
            await HistoryPause.UntilAsync(time, stop);
            if (process?.IsStopped == true)
            {
                _struck[nameof(PauseSilo)] = true;
            }

            process?.Resume();
        }
        );
    }

    private (string Name, Func<CancellationToken, Task> StrikeAsync) CutSiloOff(Random random)
    {
        int silo = random.Next(_silos.Count);
        TimeSpan time = Between(random, 1, 8);
        _planned.Add(nameof(CutSiloOff));
        return (string.Create(CultureInfo.InvariantCulture, $"silo {silo} cut off for {time.TotalSeconds:F1} s"), async stop =>
        {
            _network!.Unplug(silo); // or it throws
            _struck[nameof(CutSiloOff)] = true;
            await HistoryPause.UntilAsync(time, stop);
            _network.Plug(silo);
        }
        );
    }

    private (string Name, Func<CancellationToken, Task> StrikeAsync) PauseRedis(Random random)
    {
        TimeSpan time = Between(random, 1, 6);
        _planned.Add(nameof(PauseRedis));
        return (string.Create(CultureInfo.InvariantCulture, $"SIGSTOP of Redis for {time.TotalSeconds:F1} s"), async stop =>
        {
            Redis.Pause(); // or it throws
            _struck[nameof(PauseRedis)] = true;
            await HistoryPause.UntilAsync(time, stop);
            Redis.Resume();
        }
        );
    }

    private (string Name, Func<CancellationToken, Task> StrikeAsync) KillRedis(Random random)
    {
        TimeSpan time = Between(random, 0.1, 4);
        _planned.Add(nameof(KillRedis));
        return (string.Create(CultureInfo.InvariantCulture, $"kill -9 of Redis, back after {time.TotalSeconds:F1} s"), async stop =>
        {
            Redis.Kill(); // it has ended then
            _struck[nameof(KillRedis)] = true;
            await HistoryPause.UntilAsync(time, stop);
            await Redis.RestartAsync();
        }
        );
    }
}
