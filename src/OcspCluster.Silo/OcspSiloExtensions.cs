using Microsoft.Extensions.DependencyInjection.Extensions;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Events;
using OcspCluster.Silo.Host;
using OcspCluster.Silo.Refresh;
using OcspCluster.Silo.Storage;
using Orleans.Configuration;
using Orleans.Serialization;

namespace OcspCluster.Silo;

/// <summary>Puts the actors and the gateway's coherence into an Orleans silo.</summary>
public static class OcspSiloExtensions
{
    private const int RequestSigners = 16;

    /// <summary>
    /// The service key of the <see cref="TimeProvider"/> that leases and deadlines go by: the system's where no other is registered. They are about real time between real processes, whatever time it is for certificates.
    /// </summary>
    internal const string LeaseClock = "OcspCluster.LeaseClock";

    /// <summary>
    /// Adds the actors, the leases and the ports that lead to them: <see cref="IRevocationAuthority"/>, <see cref="PublishedJournal"/>, and what the responder asks.
    /// The program adds the responder (<c>AddOcspResponder</c>, without a status source), an <see cref="IRevocationStore"/> and a <see cref="RedisConnection"/>.
    /// </summary>
    /// <remarks>
    /// Call it within <c>UseOrleans</c>; the leases begin when the silo is a member. Start the OCSP listener after the host has started, and stop it before the host stops.
    /// </remarks>
    /// <exception cref="ArgumentException">A value breaks its bounds.</exception>
    public static ISiloBuilder AddOcspSilo(this ISiloBuilder silo, OcspSiloOptions options)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join("; ", options.FindErrors()) is { Length: > 0 } errors)
        {
            throw new ArgumentException(errors, nameof(options));
        }

        IServiceCollection services = silo.Services;
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddKeyedSingleton(LeaseClock, TimeProvider.System);
        services.TryAddSingleton<ILeaseTable, RedisLeaseTable>();
        services.TryAddSingleton<ISiloPeers, OrleansPeers>();
        services.TryAddSingleton(provider => new PublishedJournal(provider.GetRequiredService<IRevocationStore>()));
        services.AddSingleton<CoherenceDirectory>();
        services.AddSingleton<ClusterPublisher>();
        services.AddSingleton<CaSequencers>();
        services.AddSingleton<KeptAnswers>();
        services.AddSingleton<RefreshPeers>();
        services.AddSingleton<RefreshFeed>();
        services.AddSingleton<ResignRuns>();
        services.AddSingleton<ClusterRefresh>();
        services.Replace(ServiceDescriptor.Singleton<IRefreshControl>(provider => provider.GetRequiredService<ClusterRefresh>()));
        services.Replace(ServiceDescriptor.Singleton(provider => new RefreshSchedulers(provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RefreshSchedulers>>()))); // what one process would do by itself
        services.AddSingleton<CertificateActors>();
        services.AddSingleton<ICertificateAnswers>(CreateAnswers);
        services.TryAddSingleton<FeedTally>();
        services.AddSingleton<ClusterChronicle>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterChronicle>());
        services.AddSingleton<ClusterRevocationAuthority>();
        services.AddSingleton<IRevocationAuthority>(provider => new MeasuredAuthority(provider.GetRequiredService<ClusterRevocationAuthority>(), provider.GetRequiredService<FeedTally>()));
        // Without it an actor's failure is no answer: the caller would wait for its deadline instead of asking the store.
        services.Configure<ExceptionSerializationOptions>(exceptions => exceptions.SupportedNamespacePrefixes.Add("OcspCluster"));
        silo.AddGrainService<GatewayService>();
        silo.AddGrainService<RefreshService>();
        if (options.Role == SiloRole.Gateway)
        {
            services.Configure<GrainTypeOptions>(types => types.Classes.ExceptWith([typeof(CaGrain), typeof(CertificateGrain), typeof(RequestSignerGrain)]));
        }

        services.AddHostedService(provider => provider.GetRequiredService<KeptAnswers>());
        services.AddHostedService<LeaseKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterRefresh>());
        return silo;
    }

    private static ClusterAnswers CreateAnswers(IServiceProvider provider)
    {
        IGrainFactory grains = provider.GetRequiredService<IGrainFactory>();
        return new ClusterAnswers(
            key => grains.GetGrain<ICertificateGrain>(key.ToString()),
            () => grains.GetGrain<IRequestSignerGrain>(Random.Shared.Next(RequestSigners)), // several keys, so that several silos share the work
            provider.GetRequiredService<CoherenceDirectory>(),
            provider.GetRequiredService<IRevocationStore>(),
            provider.GetRequiredService<OcspSiloOptions>(),
            provider.GetRequiredKeyedService<TimeProvider>(LeaseClock),
            provider.GetRequiredService<ILogger<ClusterAnswers>>());
    }
}
