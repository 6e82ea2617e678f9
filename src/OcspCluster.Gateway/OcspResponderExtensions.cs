using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Puts an OCSP responder into any ASP.NET Core program.</summary>
public static class OcspResponderExtensions
{
    /// <summary>Adds a responder: for whom it answers, and where it learns what to say.</summary>
    /// <remarks>
    /// What cannot work (a responder certificate without EKU, or that another CA issued; values out of bounds) is found when the program starts:
    /// an <see cref="OptionsValidationException"/> names all of it at once. Keys in an HSM sign a probe then, too; one that does not answer is logged, and asked again when it is needed.
    /// </remarks>
    public static IServiceCollection AddOcspResponder(this IServiceCollection services, Action<OcspResponderBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        OcspResponderBuilder builder = new(services);
        configure(builder);

        services.AddOptions<OcspGatewayOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OcspGatewayOptions>, OcspGatewayOptionsValidator>());
        services.AddSingleton<IValidateOptions<OcspGatewayOptions>>(provider => new IssuersValidator(builder.Issuers, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => new IssuerDirectory(builder.Issuers, builder.Hashes));
        services.TryAddSingleton(provider => new ClockGuard(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new ResponseFactory(provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ClockGuard>()));
        services.TryAddSingleton(provider => new ResponseCache(provider.GetRequiredService<IOptions<OcspGatewayOptions>>().Value.CacheBytes));
        services.TryAddSingleton(provider => new OcspResponder(
            provider.GetRequiredService<IssuerDirectory>(),
            provider.GetService<ICertificateAnswers>() ?? new LocalAnswers(
                provider.GetService<ICertificateStatusSource>() ?? throw new InvalidOperationException("The OCSP responder has no status source: call UseStatus or UseStatusSource in AddOcspResponder.")),
            provider.GetRequiredService<ResponseFactory>(),
            provider.GetRequiredService<ResponseCache>(),
            provider.GetRequiredService<IOptions<OcspGatewayOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OcspResponder>>(),
            provider.GetService<KeptResponses>()));
        services.TryAddSingleton<RequestTally>();
        services.TryAddSingleton<OcspHttpHandler>();
        services.TryAddSingleton(provider => new RefreshSchedulers(
            provider.GetRequiredService<IssuerDirectory>(),
            provider.GetRequiredService<ResponseCache>(),
            provider.GetRequiredService<OcspResponder>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RefreshSchedulers>>(),
            provider.GetService<IRevocationStore>(),
            provider.GetService<KeptResponses>()));
        services.AddHostedService(provider => provider.GetRequiredService<RefreshSchedulers>());
        services.TryAddSingleton<IRefreshControl>(provider => provider.GetRequiredService<RefreshSchedulers>());
        services.AddHostedService<SignerSelfTest>();
        return services;
    }

    /// <summary>Keeps signed answers in a store, so that a restart and a cache smaller than the set need no new signatures. Called before <see cref="AddOcspResponder"/>, for it has to end after it.</summary>
    /// <param name="services">The program's services.</param>
    /// <param name="store">Where they are kept; the program disposes it after the services.</param>
    public static IServiceCollection AddKeptResponses(this IServiceCollection services, IResponseStore store)
    {
        services.AddSingleton(provider => new KeptResponses(
            store,
            provider.GetRequiredService<IssuerDirectory>(),
            provider.GetRequiredService<ResponseCache>(),
            provider.GetRequiredService<ResponseFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KeptResponses>>()));
        services.AddHostedService(provider => provider.GetRequiredService<KeptResponses>());
        return services;
    }

    /// <summary>Adds a listener for OCSP alone, with limits that suit it (<see cref="OcspListener"/>).</summary>
    public static IServiceCollection AddOcspListener(this IServiceCollection services, Action<OcspListenerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.Configure(configure);
        services.AddSingleton<OcspListener>();
        services.AddHostedService(static provider => provider.GetRequiredService<OcspListener>());
        return services;
    }

    /// <summary>Answers OCSP under a path of this program: POST to it, GET and HEAD with the request behind it.</summary>
    /// <param name="endpoints">The program's endpoints.</param>
    /// <param name="prefix">The path, beginning with a slash.</param>
    /// <exception cref="ArgumentException">The prefix is not such a path.</exception>
    public static IEndpointConventionBuilder MapOcsp(this IEndpointRouteBuilder endpoints, string prefix = "/")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        if (!PathPrefix.IsValid(prefix))
        {
            throw new ArgumentException($"'{prefix}' is not {PathPrefix.Rule}.", nameof(prefix));
        }

        string trimmed = prefix.TrimEnd('/');
        OcspHttpHandler handler = endpoints.ServiceProvider.GetRequiredService<OcspHttpHandler>();
        return endpoints.Map(trimmed + "/{**request}", (HttpContext context) => handler.HandleAsync(context, [context.Request.PathBase.Value + trimmed]))
            .WithDisplayName("OCSP " + prefix);
    }

    /// <summary>Finds at start what is wrong with the issuers.</summary>
    private sealed class IssuersValidator(IReadOnlyList<Issuer> issuers, TimeProvider clock) : IValidateOptions<OcspGatewayOptions>
    {
        public ValidateOptionsResult Validate(string? name, OcspGatewayOptions options)
        {
            DateTimeOffset now = clock.GetUtcNow();
            List<string> errors = [.. issuers.SelectMany(issuer => IssuerRules.FindErrors(issuer, now).Select(error => $"Issuer '{issuer.Id}': {error}"))];
            if (issuers.Count == 0)
            {
                errors.Add("The OCSP responder answers for nobody: call AddIssuer in AddOcspResponder.");
            }

            return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
        }
    }
}
