using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Refresh;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>Silos over one store, without Orleans and on a clock of ours: calls reach each other unless a test cuts them off.</summary>
internal sealed class SimulatedCluster
{
    public static readonly IssuerId Ca = new("alpha");

    private readonly Dictionary<string, SimulatedSilo> _silos = [];
    private readonly Dictionary<CertificateKey, (string Home, CertificateActor Actor)> _actors = [];
    private readonly HashSet<(string, string)> _cuts = [];

    public TestClock Clock { get; } = new();

    public MemoryStore Store { get; } = new();

    public OcspSiloOptions Options { get; init; } = new();

    /// <summary>A build that is broken on purpose: gateways say that they have forgotten, and have not.</summary>
    public bool IsInvalidationOff { get; set; }

    public IReadOnlyCollection<SimulatedSilo> Silos => _silos.Values;

    public SimulatedSilo Start(string name)
    {
        SimulatedSilo silo = new(this, name);
        _silos.Add(name, silo);
        return silo;
    }

    /// <summary>The silo is gone with all that it remembers.</summary>
    public void Crash(string name)
    {
        _silos.Remove(name);
        foreach (CertificateKey key in _actors.Where(actor => actor.Value.Home == name).Select(actor => actor.Key).ToArray())
        {
            _actors.Remove(key);
        }
    }

    public void Cut(string from, string to)
    {
        _cuts.Add((from, to));
        _cuts.Add((to, from));
    }

    public void Heal() => _cuts.Clear();

    /// <summary>A call from one silo to another; it never ends when the way is cut.</summary>
    public Task<T> CallAsync<T>(string from, string to, Func<SimulatedSilo, Task<T>> call) =>
        !_cuts.Contains((from, to)) && _silos.TryGetValue(to, out SimulatedSilo? silo) && !silo.IsPaused ? call(silo) : new TaskCompletionSource<T>().Task;

    public ICertificateGrain Certificate(SimulatedSilo asker, CertificateKey key) => new Grain(this, asker, key);

    /// <summary>Renews every lease, as each silo does a third of a lease after the last time.</summary>
    public Task RenewAsync() => CompleteAsync(RenewOnceAsync());

    /// <summary>The same, without letting time pass.</summary>
    public Task RenewOnceAsync() => Task.WhenAll(Silos.Where(silo => !silo.IsPaused).Select(silo => silo.Lease.RunOnceAsync()));

    public async Task CompleteAsync(Task task) => await CompleteAsync(AsBooleanAsync(task));

    /// <summary>Lets time pass until something is done.</summary>
    public async Task<T> CompleteAsync<T>(Task<T> task)
    {
        for (int step = 0; !await IsSettledAsync(task); step++)
        {
            Assert.True(step < 10_000, "It does not end, however much time passes.");
            Clock.Advance(TimeSpan.FromMilliseconds(10));
        }

        return await task;
    }

    /// <summary>Lets what can go on without time passing go on: until the task is done, or the thread pool has had nothing to do for a moment of real time.</summary>
    public static async Task<bool> IsSettledAsync(Task task)
    {
        for (int quiet = 0, i = 0; quiet < 3 && i < 500 && !task.IsCompleted; i++)
        {
            await Task.WhenAny(task, Task.Run(static () => Thread.CurrentThread.Join(TimeSpan.FromMilliseconds(1))));
            quiet = ThreadPool.PendingWorkItemCount == 0 ? quiet + 1 : 0;
        }

        return task.IsCompleted;
    }

    private static async Task<bool> AsBooleanAsync(Task task)
    {
        await task;
        return true;
    }

    private CertificateActor Find(SimulatedSilo asker, CertificateKey key, out string home)
    {
        lock (_actors)
        {
            if (!_actors.TryGetValue(key, out (string Home, CertificateActor Actor) found))
            {
                found = (asker.Self, asker.CreateActor(key));
                _actors.Add(key, found);
            }

            home = found.Home;
            return found.Actor;
        }
    }

    private sealed class Grain(SimulatedCluster cluster, SimulatedSilo asker, CertificateKey key) : ICertificateGrain
    {
        public Task<CertificateReply> AnswerAsync(CertificateQuestion question)
        {
            CertificateActor actor = cluster.Find(asker, key, out string home);
            return cluster.CallAsync(asker.Self, home, _ => actor.AnswerAsync(question).AsTask());
        }

        public Task<StatusReply> FindStatusAsync(long minPosition)
        {
            CertificateActor actor = cluster.Find(asker, key, out string home);
            return cluster.CallAsync(asker.Self, home, _ => actor.FindStatusAsync(minPosition).AsTask());
        }
    }
}

/// <summary>One silo: the real caches, leases, publisher, responder and actors.</summary>
internal sealed class SimulatedSilo : ISiloPeers, IDisposable
{
    private static readonly X509Certificate2 s_withKey = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());

    private readonly SimulatedCluster _cluster;
    private readonly IssuerDirectory _directory;
    private readonly ResponseFactory _factory;
    private readonly KeptAnswers _kept;

    public SimulatedSilo(SimulatedCluster cluster, string name)
    {
        _cluster = cluster;
        Self = name;
        Store = new StoreView(cluster.Store);
        _directory = new IssuerDirectory([new Issuer(SimulatedCluster.Ca, Issuers.Alpha.Certificates, [new SigningCredential(s_withKey)])]);
        _factory = new ResponseFactory(cluster.Clock);
        _kept = new KeptAnswers(_directory, _factory, cluster.Options, cluster.Clock, NullLogger<KeptAnswers>.Instance);
        Journal = new PublishedJournal(Store);
        Directory = new CoherenceDirectory(_directory, Store, Cache, Journal, Store, this, cluster.Options, cluster.Clock, NullLogger<CoherenceDirectory>.Instance);
        Publisher = new ClusterPublisher(Directory, Store, this, cluster.Options, cluster.Clock, NullLogger<ClusterPublisher>.Instance);
        Sequencer = new IssuerSequencer(SimulatedCluster.Ca, Store, Publisher, cluster.Clock);
        ClusterAnswers answers = new(
            key => cluster.Certificate(this, key), () => throw new NotSupportedException(), Directory, Store, cluster.Options, cluster.Clock, NullLogger<ClusterAnswers>.Instance);
        Responder = new OcspResponder(_directory, answers, _factory, Cache, new OcspGatewayOptions(), cluster.Clock, NullLogger<OcspResponder>.Instance);
    }

    public string Self { get; }

    public bool IsPaused { get; set; }

    public StoreView Store { get; }

    public ResponseCache Cache { get; } = new(1 << 24);

    public PublishedJournal Journal { get; }

    public CoherenceDirectory Directory { get; }

    public ClusterPublisher Publisher { get; }

    public IssuerSequencer Sequencer { get; }

    public OcspResponder Responder { get; }

    public IssuerCoherence Coherence => Directory.Find(SimulatedCluster.Ca)!.Coherence;

    public IssuerLease Lease => Directory.Find(SimulatedCluster.Ca)!.Lease;

    public int PendingPublications { get; private set; }

    public int Activations { get; private set; }

    public IReadOnlyList<string> Active => [.. _cluster.Silos.Select(silo => silo.Self).Where(name => name != Self)];

    public IReadOnlyList<string> Living => Active;

    public CertificateActor CreateActor(CertificateKey key)
    {
        Activations++;
        return new CertificateActor(key, _directory, Coherence, Store, _factory, _kept, feed: null, new ResignRuns(), _cluster.Options, _cluster.Clock);
    }

    public Task<long> ForgetAsync(string silo, Forgetting forgetting) => _cluster.IsInvalidationOff
        ? Task.FromResult(forgetting.Through)
        : _cluster.CallAsync(Self, silo, there => there.Coherence.ForgetAsync(forgetting).AsTask());

    public Task<bool> PromiseAsync(string silo, IssuerId issuer) => _cluster.CallAsync(Self, silo, there => there.Lease.PromiseAsync(Self));

    public void TellPublished(string silo, IssuerId issuer, long position) => _cluster.CallAsync(Self, silo, there =>
    {
        there.Directory.Find(issuer)!.TakePublished(position);
        return Task.FromResult(true);
    });

    public Task PublishPendingAsync(IssuerId issuer)
    {
        PendingPublications++;
        return Sequencer.PublishPendingAsync();
    }

    /// <summary>Asks this silo's gateway, and lets time pass as it needs.</summary>
    public async Task<(OcspOutcome Outcome, CertStatus? Status)> AskAsync(SerialNumber serial)
    {
        byte[] request = new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, serial)).Build().Encoded.ToArray();
        OcspReply reply = await _cluster.CompleteAsync(Responder.AnswerAsync(request, CancellationToken.None).AsTask());
        return (reply.Outcome, reply.Response is null ? null : OcspResponse.Decode(reply.Body).Basic!.Data.Responses[0].Status);
    }

    /// <summary>Submits to this silo's own writer, and lets time pass as it needs.</summary>
    public Task<IReadOnlyList<EventOutcome>> SubmitAsync(params RevocationEvent[] events) => _cluster.CompleteAsync(Sequencer.SubmitAsync(events, CancellationToken.None).AsTask());

    public void Dispose()
    {
        _kept.Dispose();
        _factory.Dispose();
        Directory.Dispose();
    }

    public Task ReadIssuedAsync() => Coherence.Issued.ReadAsync(Store, SimulatedCluster.Ca, CancellationToken.None);
}
