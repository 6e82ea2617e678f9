using OcspCluster.Authority;
using OcspCluster.Silo.Events;
using Orleans.Runtime.Services;

namespace OcspCluster.Silo.Coherence;

/// <summary>The members of the Orleans cluster, and the <see cref="GatewayService"/> of each.</summary>
internal sealed class OrleansPeers : GrainServiceClient<IGatewayService>, ISiloPeers
{
    private readonly Lazy<IClusterMembershipService> _membership;
    private readonly Lazy<IGrainFactory> _grains;
    private readonly SiloAddress _self;

    public OrleansPeers(IServiceProvider services, ILocalSiloDetails silo)
        : base(services)
    {
        _membership = new Lazy<IClusterMembershipService>(services.GetRequiredService<IClusterMembershipService>);
        _grains = new Lazy<IGrainFactory>(services.GetRequiredService<IGrainFactory>);
        _self = silo.SiloAddress;
        Self = _self.ToParsableString();
    }

    /// <inheritdoc/>
    public string Self { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Active => Others(status => status == SiloStatus.Active);

    /// <inheritdoc/>
    public IReadOnlyList<string> Living => Others(status => status is not (SiloStatus.Dead or SiloStatus.None or SiloStatus.Created));

    /// <inheritdoc/>
    public Task<long> ForgetAsync(string silo, Forgetting forgetting) =>
        ServiceOf(silo).ForgetAsync(forgetting.Issuer, forgetting.From, forgetting.Through, forgetting.Serials).AsTask();

    /// <inheritdoc/>
    public Task<bool> PromiseAsync(string silo, IssuerId issuer) => ServiceOf(silo).PromiseAsync(Self, issuer).AsTask();

    /// <inheritdoc/>
    public void TellPublished(string silo, IssuerId issuer, long position) => ServiceOf(silo).PublishedAsync(issuer, position).Ignore();

    /// <inheritdoc/>
    public Task PublishPendingAsync(IssuerId issuer) => _grains.Value.GetGrain<ICaGrain>(issuer.ToString()).PublishPendingAsync();

    private IGatewayService ServiceOf(string silo) => GetGrainService(SiloAddress.FromParsableString(silo));

    private List<string> Others(Func<SiloStatus, bool> isMeant) =>
        [.. _membership.Value.CurrentSnapshot.Members.Values.Where(member => !member.SiloAddress.Equals(_self) && isMeant(member.Status)).Select(member => member.SiloAddress.ToParsableString())];
}
