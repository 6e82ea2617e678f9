using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Hosting.Sources;

/// <summary>Adds the issuers' standing sources to a host.</summary>
internal static class SourceServices
{
    /// <summary>Adds them, beside an <see cref="IRevocationAuthority"/>, an <see cref="IRevocationStore"/> and <see cref="ICrlRecords"/>. Where several hosts serve one authority each looks for itself: the events' ids are the same, so all but the first are duplicates.</summary>
    public static IServiceCollection AddRevocationSources(this IServiceCollection services, ResponderOptions options) => services
        .AddSingleton(provider => new RevocationSources([.. Create(options, provider)], provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RevocationSources>>(), provider.GetService<ISourceTurns>()))
        .AddHostedService(provider => provider.GetRequiredService<RevocationSources>());

    private static IEnumerable<RevocationSource> Create(ResponderOptions options, IServiceProvider provider)
    {
        IRevocationAuthority authority = provider.GetRequiredService<IRevocationAuthority>();
        IRevocationStore store = provider.GetRequiredService<IRevocationStore>();
        TimeProvider clock = provider.GetRequiredService<TimeProvider>();
        HttpClient client = new(new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // a name may move
            MaxAutomaticRedirections = 5,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // each transfer has its own
        };
        foreach (Issuer issuer in options.Issuers)
        {
            if (options.Sources[issuer.Id].Crl is { } crl)
            {
                yield return RevocationSources.OfCrl(issuer, crl, authority, store, provider.GetRequiredService<ICrlRecords>(), client, clock);
            }

            if (options.Sources[issuer.Id].IndexFile is string file)
            {
                yield return RevocationSources.OfIndex(issuer.Id, file, options.Sources[issuer.Id].IndexInterval, authority, store, clock);
            }
        }
    }
}
