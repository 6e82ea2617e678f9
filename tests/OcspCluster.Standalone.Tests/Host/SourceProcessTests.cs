using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OcspCluster.Standalone.Tests.Import;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>A CA of <c>openssl ca</c> that pushes nothing: the configured program follows its index, or its CRL over HTTP, by itself.</summary>
public sealed class SourceProcessTests : IAsyncDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(2));
    private readonly HttpClient _client = new();
    private WebApplication? _server;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _client.Dispose();
        _late.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Index_ThatIsConfigured_IsFollowedWhileTheResponderRuns()
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        using OpenSslCa ca = OpenSslCa.Create();
        string folder = Path.GetDirectoryName(ca.IndexFile)!;
        string serial = ca.Issue("early");
        await ConfigureAsync(folder, $$""" "IndexSource": { "File": "{{ca.IndexFile}}", "Interval": "00:00:01" } """);
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        using StreamReader events = await FollowAsync(host);
        await MustComeAsync(events, "issued", serial);
        await MustSayAsync(openssl, host, folder, serial, "good");

        ca.Revoke(serial, "-crl_reason", "superseded");

        await MustComeAsync(events, "revoked", serial);
        await MustSayAsync(openssl, host, folder, serial, "revoked");
    }

    [Fact]
    public async Task Crl_ThatIsConfiguredByUrl_IsFetchedAndItsRevocationsAreAnswered()
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        using OpenSslCa ca = OpenSslCa.Create();
        string folder = Path.GetDirectoryName(ca.IndexFile)!;
        string serial = ca.Revoke(ca.Issue("stolen"), "-crl_reason", "keyCompromise");
        Uri url = await ServeAsync(ca.MakeCrl());
        await ConfigureAsync(folder, $$""" "CrlSource": { "Url": "{{url}}", "Interval": "00:00:10" } """);
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        using StreamReader events = await FollowAsync(host);
        await MustComeAsync(events, "revoked", serial);
        await MustSayAsync(openssl, host, folder, serial, "revoked");

        string second = ca.Revoke(ca.Issue("second"));
        ca.MakeCrl();

        await MustComeAsync(events, "revoked", second);
        await MustSayAsync(openssl, host, folder, second, "revoked");
    }

    [Fact]
    public async Task Import_OfACrlByItsUrl_TakesItOnce()
    {
        using OpenSslCa ca = OpenSslCa.Create();
        string folder = Path.GetDirectoryName(ca.IndexFile)!;
        ca.Revoke(ca.Issue("stolen"), "-crl_reason", "keyCompromise");
        Uri url = await ServeAsync(ca.MakeCrl());
        await ConfigureAsync(folder, null);
        string[] import = ["import", "crl", "--issuer", "web", "--crl", url.ToString()];

        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(exitCode == 0, error);
        Assert.Contains("1 entries for issuer 'web': 1 events recorded", output, StringComparison.Ordinal);
        (exitCode, _, error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(exitCode == 0, error);
        Assert.Contains("taken before", error, StringComparison.Ordinal);

        (exitCode, _, error) = await HostProcess.RunAsync(_directory.Path, [.. import[..^1], new Uri(url, "/nothing.crl").ToString()]);
        Assert.Equal(3, exitCode);
        Assert.Contains("404", error, StringComparison.Ordinal);
    }

    private Task ConfigureAsync(string folder, string? source) => File.WriteAllTextAsync(_directory.File("appsettings.json"), $$"""
        { "Issuers": { "web": { "Certificate": "{{folder}}/ca.pem", "Responder": { "Key": "{{folder}}/ca.key" }{{(source is null ? "" : "," + source)}} } } }
        """);

    private async Task<Uri> ServeAsync(string file)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.MapGet("/ca.crl", () => Results.File(file, "application/pkix-crl"));
        await _server.StartAsync();
        return new Uri(new Uri(_server.Urls.First()), "/ca.crl");
    }

    private async Task<StreamReader> FollowAsync(HostProcess host)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(host.AdminUri, "/v1/events"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(_directory.File("data/admin.key"))).Trim());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _late.Token);
        return new StreamReader(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());
    }

    private async Task MustComeAsync(StreamReader events, string kind, string serial)
    {
        while (await events.ReadLineAsync(_late.Token) is string line)
        {
            if (line.Contains($"\"kind\":\"{kind}\"", StringComparison.Ordinal) && line.Contains(serial, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }
        }

        Assert.Fail($"The stream ended before {serial} was {kind}.");
    }

    private static async Task MustSayAsync(ExternalTool openssl, HostProcess host, string folder, string serial, string status)
    {
        ToolResult answer = await openssl.RunAsync(["ocsp", "-issuer", "ca.pem", "-serial", "0x" + serial, "-url", host.OcspUri.ToString(), "-CAfile", "ca.pem"], folder);
        Assert.Contains("Response verify OK", answer.Error, StringComparison.Ordinal);
        Assert.Contains($"0x{serial}: {status}", answer.Output, StringComparison.Ordinal);
    }
}
