using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Hosting;

/// <summary>Has the credentials of configured issuers read again when their files change.</summary>
internal static class CredentialReloads
{
    /// <summary>Adds the <see cref="CredentialWatch"/> of issuers.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="options">Names the files.</param>
    /// <param name="issuers">The issuers.</param>
    /// <param name="isDemo">Whether they are the demo's: its files are its own, and are made anew where they are missing, so there is nothing to read again.</param>
    public static void AddCredentialWatch(this IServiceCollection services, ResponderOptions options, IReadOnlyList<Issuer> issuers, bool isDemo) =>
        services.AddSingleton(provider =>
        {
            TimeProvider clock = provider.GetRequiredService<TimeProvider>();
            ILogger log = provider.GetRequiredService<ILogger<CredentialReload>>();
            CredentialReload[] reloads = [.. issuers.Select(issuer => new CredentialReload(
                issuer,
                isDemo ? [] : IssuerReader.FindCredentialFiles(options.Settings, issuer.Id.ToString(), options.LoadsPrivateKeys),
                () => IssuerReader.ReadCredentials(options.Settings, issuer.Id.ToString(), clock.GetUtcNow(), options.LoadsPrivateKeys),
                provider.GetRequiredService<ResponseFactory>(),
                clock,
                log))];
            return new CredentialWatch(reloads, clock, provider.GetRequiredService<ILogger<CredentialWatch>>());
        });
}
