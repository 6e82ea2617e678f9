using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>
/// What all contracts of a responder begin with. A host derives each of them and says how it is started; it adds nothing.
/// The rules' numbers in the tests' names are those of docs/RFCS.md.
/// </summary>
public abstract class ResponderContract(SharedHosts shared) : IClassFixture<SharedHosts>, IAsyncDisposable
{
    private readonly List<IResponderHost> _owned = [];

    /// <summary>Starts the host under test. Configuration that cannot work makes it throw.</summary>
    protected abstract Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock);

    /// <summary>The host that the class shares: every issuer, default policies. A test must not move its clock.</summary>
    protected Task<IResponderHost> DefaultAsync() => SharedAsync("default", Issuers.All);

    /// <summary>A host that the tests of the class share under a name. A test must not move its clock.</summary>
    protected Task<IResponderHost> SharedAsync(string name, ResponderSetup setup, TestClock? clock = null) =>
        shared.GetAsync(name, () => StartSeededAsync(setup, clock ?? new TestClock()));

    /// <summary>A host of this test alone, which ends with it.</summary>
    protected async Task<IResponderHost> OwnAsync(ResponderSetup setup, TestClock? clock = null)
    {
        IResponderHost host = await StartSeededAsync(setup, clock ?? new TestClock());
        _owned.Add(host);
        return host;
    }

    /// <summary>Alpha's CertID for a serial.</summary>
    protected static RawCertId AlphaId(byte[] serial, string hashOid = OcspOids.Sha1) => RawCertId.For(Issuers.Alpha.Certificate, serial, hashOid);

    /// <summary>A plain request for serials of Alpha.</summary>
    protected static RawOcspRequest AskAlpha(params IEnumerable<byte[]> serials) => RawOcspRequest.For(serials.Select(serial => AlphaId(serial)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IResponderHost host in _owned)
        {
            await host.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private async Task<IResponderHost> StartSeededAsync(ResponderSetup setup, TestClock clock)
    {
        IResponderHost host = await StartAsync(setup, clock);
        foreach (IssuerSetup issuer in setup.Issuers)
        {
            await host.SubmitAsync(issuer.Id, [
                Events.Issued(Known.Good),
                Events.Issued(Known.Awkward),
                Events.Issued(Known.EndsInSlash),
                Events.Issued(Known.Revoked),
                Events.Revoked(Known.Revoked, Protocol.RevocationReason.KeyCompromise, Known.RevokedAt),
                Events.Issued(Known.Held),
                Events.Held(Known.Held, Known.RevokedAt),
                Events.Issued(Known.GoodAtAlphaOnly),
                .. issuer.Id == Issuers.Alpha.Id ? [] : new[] { Events.Revoked(Known.GoodAtAlphaOnly, null, Known.RevokedAt) },
            ]);
        }

        return host;
    }
}
