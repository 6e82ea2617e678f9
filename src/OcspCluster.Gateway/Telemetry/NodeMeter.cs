using System.Diagnostics.Metrics;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The meter <c>OcspCluster.Node</c> (docs/METRICS.md): how this process stands, as it last looked at itself. Thread-safe.</summary>
internal sealed class NodeMeter : IDisposable
{
    private readonly Meter _meter = new("OcspCluster.Node");

    public NodeMeter(NodeIdentity identity, NodeProbe probe, Overview overview, IssuerDirectory directory, ResponseFactory factory, ResponseCache cache, TimeProvider clock)
    {
        KeyValuePair<string, object?>[] node = [new("node", identity.Name), new("role", identity.Role), new("version", LonelyNode.Version)];
        _meter.CreateObservableGauge("ocsp.node", () => new Measurement<int>(1, node), null, "1, with what this process is called and which version it is");
        _meter.CreateObservableGauge("ocsp.finding", () => ObserveFindings(probe), "{finding}", "What is wrong now, by code and severity; all codes are there, with 0 where it is not so");
        _meter.CreateObservableGauge("ocsp.store.reachable", () => probe.Store is { } store ? [Flag(store.IsReachable)] : Array.Empty<Measurement<int>>(), null, "1 while the store answers");
        _meter.CreateObservableGauge("ocsp.store.durable", () => probe.Store is { } store ? [Flag(store.IsDurable)] : Array.Empty<Measurement<int>>(), null, "1 while what is acknowledged survives a loss of power");
        _meter.CreateObservableGauge("ocsp.store.takes_events", () => probe.Store is { } store ? [Flag(store.TakesEvents)] : Array.Empty<Measurement<int>>(), null, "1 while events can be recorded");
        _meter.CreateObservableGauge("ocsp.clock.sound", () => Flag(probe.IsClockSound), null, "1 while answers are signed by the clock");
        _meter.CreateObservableGauge("ocsp.lease.held", () => Each(directory, issuer => Flag(probe.HasLease(issuer.Id), issuer)), null, "1 while the cache may be believed without the store's leave, by issuer; always 1 on a host that is alone");
        _meter.CreateObservableGauge("ocsp.signing.queue", () => Each(directory, issuer => Of(issuer, issuer.Credentials.Sum(credential => factory.StateOf(credential).Waiting))), "{signature}", "Signatures that wait for a key");
        _meter.CreateObservableGauge(
            "ocsp.signing.down", () => Each(directory, issuer => Flag(probe.IsSignerDown(issuer), issuer)), null, "1 while no key of the issuer in this process signs");
        _meter.CreateObservableGauge(
            "ocsp.responder.certificate.expiry",
            () => directory.Issuers.Where(issuer => issuer.Credentials.Count > 0).Select(issuer => Of(issuer, (issuer.Credentials.Max(credential => credential.NotAfter) - clock.GetUtcNow()).TotalSeconds)),
            "s",
            "Until the responder certificate that ends last does");
        _meter.CreateObservableGauge("ocsp.cache.answers", () => cache.Count, "{certificate}", "Certificates with answers in the cache");
        _meter.CreateObservableGauge("ocsp.cache.size", () => cache.Bytes, "By", "Memory for the answers in the cache");
        _meter.CreateObservableGauge("ocsp.certificates", () => ObserveCertificates(overview), "{certificate}", "Certificates by issuer and state, as of the last ten seconds");
        _meter.CreateObservableGauge(
            "ocsp.journal.position", () => overview.LastIssuers.Select(issuer => new Measurement<long>(issuer.Position, new KeyValuePair<string, object?>("issuer", issuer.Id))), "{event}", "The last position of the journal, as of the last ten seconds");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<int>> ObserveFindings(NodeProbe probe)
    {
        IReadOnlyList<Finding> findings = probe.Findings;
        foreach (string code in FindingRules.Codes)
        {
            foreach (FindingSeverity severity in Enum.GetValues<FindingSeverity>())
            {
                yield return new(findings.Count(finding => finding.Code == code && finding.Severity == severity), new("code", code), new("severity", severity == FindingSeverity.Critical ? "critical" : "warning"));
            }
        }
    }

    private static IEnumerable<Measurement<long>> ObserveCertificates(Overview overview) =>
        from issuer in overview.LastIssuers
        let counts = issuer.Certificates
        where counts is not null
        from state in new[] { (Name: "good", Count: counts.Good), (Name: "revoked", Count: counts.Revoked), (Name: "held", Count: counts.Held) }
        select new Measurement<long>(state.Count, new("issuer", issuer.Id), new KeyValuePair<string, object?>("state", state.Name));

    private static IEnumerable<Measurement<T>> Each<T>(IssuerDirectory directory, Func<Issuer, Measurement<T>> measure)
        where T : struct => directory.Issuers.Select(measure);

    private static Measurement<T> Of<T>(Issuer issuer, T value)
        where T : struct => new(value, new KeyValuePair<string, object?>("issuer", issuer.Id.ToString()));

    private static Measurement<int> Flag(bool value) => new(value ? 1 : 0);

    private static Measurement<int> Flag(bool value, Issuer issuer) => Of(issuer, value ? 1 : 0);
}
