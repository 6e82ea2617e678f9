using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>What is this host's own, in process: restarts, readiness, its end.</summary>
public sealed class StandaloneHostTests
{
    [Fact]
    public async Task Restart_KeepsWhatWasAcknowledged()
    {
        await using IResponderHost host = await StandaloneResponderHost.StartAsync(ResponderSetup.Of(Issuers.Alpha), new TestClock());
        await host.SubmitAsync("alpha", [Events.Issued(Known.Good), Events.Issued(Known.Revoked), Events.Revoked(Known.Revoked)]);
        await host.RestartAsync();
        RawOcspResponse answer = await host.AskAsync(RawOcspRequest.For(RawCertId.For(Issuers.Alpha.Certificate, Known.Revoked)));
        Assert.Equal(RawCertStatus.Revoked, Assert.Single(answer.Singles).Status);
    }

    [Fact]
    public async Task Ready_WhenTheResponderCertificateHasEnded_Is503AndSaysWhy()
    {
        TestClock clock = new();
        DateTimeOffset end = clock.GetUtcNow() + TimeSpan.FromDays(30);
        IssuerSetup alpha = Issuers.Alpha with { Responder = Issuers.AlphaCa.IssueResponder("ends", TestKey.P256(), new ResponderProfile { NotAfter = end }) };
        await using IResponderHost host = await StandaloneResponderHost.StartAsync(ResponderSetup.Of(alpha), clock);
        using HttpClient client = new();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(host.AdminUri, "health/ready"))).StatusCode);

        clock.Advance(TimeSpan.FromDays(31));
        using HttpResponseMessage ready = await client.GetAsync(new Uri(host.AdminUri, "health/ready"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        JsonElement notReady = (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("notReady");
        Assert.Contains("alpha", Assert.Single(notReady.EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(host.AdminUri, "health/live"))).StatusCode);
    }

    [Fact]
    public async Task Dispose_EndsTheListener()
    {
        IResponderHost host = await StandaloneResponderHost.StartAsync(ResponderSetup.Of(Issuers.Alpha), new TestClock());
        Uri uri = host.OcspUri;
        await host.DisposeAsync();
        using HttpClient client = new();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(uri));
    }
}
