using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace OcspCluster.Silo.Refresh;

/// <summary>An answer that a gateway was given, or has.</summary>
[GenerateSerializer]
[Immutable]
internal sealed record NotedAnswer(
    [property: Id(0)] SerialNumber Serial,
    [property: Id(1)] byte[] CertId,
    [property: Id(2)] DateTimeOffset DueAt,
    [property: Id(3)] DateTimeOffset LatestAt,
    [property: Id(4)] DateTimeOffset NextUpdate,
    [property: Id(5)] DateTimeOffset ProducedAt)
{
    /// <summary>Of an answer.</summary>
    public static NotedAnswer Of(SerialNumber serial, byte[] certId, IssuerPolicy policy, SignedResponse response)
    {
        AnswerTimes times = AnswerTimes.Of(policy, serial, response);
        return new NotedAnswer(serial, certId, times.DueAt, times.LatestAt, times.NextUpdate, response.ProducedAt);
    }
}

/// <summary>What a silo tells of its parts of an issuer.</summary>
/// <param name="Parts">How many it has.</param>
/// <param name="SignaturesPerSecond">The pace of the issuer now, of all silos together.</param>
/// <param name="Tracked">Answers that it keeps fresh.</param>
/// <param name="Backlog">Of them, how many are due.</param>
/// <param name="Untracked">Answers that found no place.</param>
/// <param name="FirstEnd">When the first of the last answers ends.</param>
/// <param name="IsResting">Whether it rests because nobody could sign.</param>
/// <param name="IsComplete">Whether it knows all that it has to keep fresh.</param>
/// <param name="Signatures">How many it had signed.</param>
/// <param name="Run">The last re-signing that it knows of.</param>
/// <param name="ToResign">How many it has still to sign for that.</param>
/// <param name="Resigned">How many it has signed for that and keeps no longer.</param>
[GenerateSerializer]
[Immutable]
internal sealed record SiloRefreshReport(
    [property: Id(0)] int Parts,
    [property: Id(1)] int SignaturesPerSecond,
    [property: Id(2)] int Tracked,
    [property: Id(3)] int Backlog,
    [property: Id(4)] long Untracked,
    [property: Id(5)] DateTimeOffset? FirstEnd,
    [property: Id(6)] bool IsResting,
    [property: Id(7)] bool IsComplete,
    [property: Id(8)] long Signatures,
    [property: Id(9)] ResignRun? Run,
    [property: Id(10)] int ToResign,
    [property: Id(11)] int Resigned);

/// <summary>What silos say to each other about keeping answers fresh. There is one in each silo, addressed by the silo.</summary>
internal interface IRefreshService : IGrainService
{
    /// <summary>Gateways were given answers of your parts, or have them. What is lost on the way is learnt from what is kept.</summary>
    [OneWay]
    Task NoteAsync(IssuerId issuer, IReadOnlyList<NotedAnswer> answers);

    /// <summary>Statuses of your parts changed, and no gateway gives older answers: these come first.</summary>
    [OneWay]
    Task AnnounceAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials);

    /// <summary>How are your parts doing? Null where it has none of that issuer because it does not sign.</summary>
    Task<SiloRefreshReport?> DescribeAsync(IssuerId issuer);

    /// <summary>All is to be signed anew.</summary>
    Task<SiloRefreshReport?> ResignAsync(IssuerId issuer, ResignRun run);
}

/// <inheritdoc cref="IRefreshService"/>
internal sealed class RefreshService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, ClusterRefresh refresh) : GrainService(id, silo, loggers), IRefreshService
{
    /// <inheritdoc/>
    public Task NoteAsync(IssuerId issuer, IReadOnlyList<NotedAnswer> answers)
    {
        refresh.Note(issuer, answers);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task AnnounceAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials)
    {
        refresh.Announce(issuer, serials);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<SiloRefreshReport?> DescribeAsync(IssuerId issuer) => Task.FromResult(refresh.Describe(issuer));

    /// <inheritdoc/>
    public Task<SiloRefreshReport?> ResignAsync(IssuerId issuer, ResignRun run) => Task.FromResult(refresh.Resign(issuer, run));
}

/// <summary>The silos, as far as keeping answers fresh is concerned: who owns which part, and how each is reached. Thread-safe.</summary>
internal sealed class RefreshPeers : GrainServiceClient<IRefreshService>
{
    private readonly Lazy<IClusterMembershipService> _membership;
    private readonly Lazy<IClusterManifestProvider> _manifests;
    private readonly Lazy<GrainType> _signing;
    private volatile View? _view;

    public RefreshPeers(IServiceProvider services, ILocalSiloDetails silo)
        : base(services)
    {
        _membership = new Lazy<IClusterMembershipService>(services.GetRequiredService<IClusterMembershipService>);
        _manifests = new Lazy<IClusterManifestProvider>(services.GetRequiredService<IClusterManifestProvider>);
        _signing = new Lazy<GrainType>(() => services.GetRequiredService<GrainTypeResolver>().GetGrainType(typeof(CertificateGrain)));
        Self = silo.SiloAddress.ToParsableString();
    }

    /// <summary>This silo's address with its generation, as text.</summary>
    public string Self { get; }

    /// <summary>All active silos, this one included while it is active.</summary>
    public IReadOnlyList<string> Active => Current.Active;

    /// <summary>Who owns which part, by the members and what they host as this silo sees them now.</summary>
    public PartOwners Owners => Current.Owners;

    /// <summary>The service of a silo.</summary>
    public IRefreshService ServiceOf(string silo) => GetGrainService(SiloAddress.FromParsableString(silo));

    private View Current
    {
        get
        {
            ClusterMembershipSnapshot members = _membership.Value.CurrentSnapshot;
            ClusterManifest manifest = _manifests.Value.Current;
            View? view = _view;
            if (view is null || !ReferenceEquals(view.Members, members) || !ReferenceEquals(view.Manifest, manifest))
            {
                SiloAddress[] active = [.. members.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];

                // A gateway hosts no actor of a certificate.
                string[] signers = [.. active.Where(silo => manifest.Silos.TryGetValue(silo, out GrainManifest? hosted) && hosted.Grains.ContainsKey(_signing.Value)).Select(silo => silo.ToParsableString())];
                _view = view = new View(members, manifest, [.. active.Select(silo => silo.ToParsableString())], new PartOwners(signers));
            }

            return view;
        }
    }

    private sealed record View(ClusterMembershipSnapshot Members, ClusterManifest Manifest, IReadOnlyList<string> Active, PartOwners Owners);
}
