using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Says for whom a responder answers, and where it learns what to say. Given to the configuration of <c>AddOcspResponder</c>.</summary>
public sealed class OcspResponderBuilder
{
    private readonly List<Issuer> _issuers = [];
    private readonly List<CertIdHash> _hashes = [.. CertIdHash.All];

    internal OcspResponderBuilder(IServiceCollection services) => Services = services;

    /// <summary>The program's services.</summary>
    public IServiceCollection Services { get; }

    internal IReadOnlyList<Issuer> Issuers => _issuers;

    internal IReadOnlyList<CertIdHash> Hashes => _hashes;

    /// <summary>Answers for an issuer.</summary>
    /// <param name="id">Its name: 1 to 64 of a–z, 0–9, '-', '_', '.'.</param>
    /// <param name="issuer">The CA's certificate.</param>
    /// <param name="responder">The certificate, with private key, of who signs: a delegated responder that the CA issued (EKU OCSPSigning), or the CA itself.</param>
    /// <param name="policy">How its certificates are answered for; <see cref="IssuerPolicy.Default"/> where not given.</param>
    public OcspResponderBuilder AddIssuer(string id, X509Certificate2 issuer, X509Certificate2 responder, IssuerPolicy? policy = null) =>
        AddIssuer(new Issuer(new IssuerId(id), [issuer], [new SigningCredential(responder)], policy));

    /// <summary>Answers for an issuer with several names, signers that are not .NET's, or trusted requestors.</summary>
    public OcspResponderBuilder AddIssuer(Issuer issuer)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        _issuers.Add(issuer);
        return this;
    }

    /// <summary>Lets clients name issuers by one more hash algorithm.</summary>
    public OcspResponderBuilder AddHash(CertIdHash hash)
    {
        _hashes.Add(hash);
        return this;
    }

    /// <summary>Learns statuses from a service of this type.</summary>
    public OcspResponderBuilder UseStatusSource<TSource>()
        where TSource : class, ICertificateStatusSource
    {
        Services.TryAddSingleton<TSource>();
        Services.AddSingleton<ICertificateStatusSource>(static services => services.GetRequiredService<TSource>());
        return this;
    }

    /// <summary>Learns statuses from this source.</summary>
    public OcspResponderBuilder UseStatusSource(ICertificateStatusSource source)
    {
        Services.AddSingleton(source);
        return this;
    }

    /// <summary>Learns statuses from a function: issuer and serial number in, status out, null for what was never issued. Called concurrently.</summary>
    public OcspResponderBuilder UseStatus(Func<IssuerId, SerialNumber, CertificateStatus?> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        return UseStatusSource(new DelegateStatusSource((issuer, serial, _) => ValueTask.FromResult(find(issuer, serial))));
    }

    /// <summary>Learns statuses from an asynchronous function. Called concurrently.</summary>
    public OcspResponderBuilder UseStatus(Func<IssuerId, SerialNumber, CancellationToken, ValueTask<CertificateStatus?>> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        return UseStatusSource(new DelegateStatusSource(find));
    }

    /// <summary>Sets what the endpoint accepts and spends.</summary>
    public OcspResponderBuilder Configure(Action<OcspGatewayOptions> configure)
    {
        Services.Configure(configure);
        return this;
    }

    private sealed class DelegateStatusSource(Func<IssuerId, SerialNumber, CancellationToken, ValueTask<CertificateStatus?>> find) : ICertificateStatusSource
    {
        public ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) => find(issuer, serial, cancellationToken);
    }
}
