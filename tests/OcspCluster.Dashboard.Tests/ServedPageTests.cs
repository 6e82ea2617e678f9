using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace OcspCluster.Dashboard.Tests;

/// <summary>How the page and its parts go over the wire: strict, small, and from this host alone.</summary>
public sealed partial class ServedPageTests : IAsyncLifetime
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(1) };
    private DashboardHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Page_HasAPolicyThatAllowsNothingInlineAndNothingFromElsewhere()
    {
        using HttpResponseMessage page = await GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        string[] policy = page.Headers.GetValues("Content-Security-Policy").Single().Split("; ");
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("require-trusted-types-for 'script'", policy);
        Assert.Contains("trusted-types 'none'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.All(policy.Where(directive => directive.Contains("-src ", StringComparison.Ordinal)), directive => Assert.Matches("^[a-z-]+ '(none|self)'$", directive));
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        string text = await page.Content.ReadAsStringAsync();
        Assert.DoesNotContain("//", text, StringComparison.Ordinal); // no other host
        Assert.DoesNotMatch(@"style=|<style|\son[a-z]+=|<script>", text);
    }

    [Fact]
    public async Task Parts_AreNamedByTheirContent_AndKeptForEver()
    {
        string page = await s_client.GetStringAsync(new Uri(_host.AdminUri, "/"));
        string[] paths = [.. AssetPath().Matches(page).Select(match => match.Value)];
        Assert.Superset(new HashSet<string> { "app.css", "app.js", "favicon.svg" }, paths.Select(path => path.Split('/')[^1]).ToHashSet());
        Assert.Single(paths.Select(path => path.Split('/')[2]).Distinct()); // scripts name each other by relative paths
        foreach (string path in paths)
        {
            using HttpResponseMessage part = await GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, part.StatusCode);
            Assert.Contains("immutable", part.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.False(part.Headers.ETag!.IsWeak);
            Assert.Equal("nosniff", part.Headers.GetValues("X-Content-Type-Options").Single());
        }
    }

    [Fact]
    public async Task Page_ThatTheBrowserHas_Is304()
    {
        using HttpResponseMessage first = await GetAsync("/");
        Assert.True(first.Headers.CacheControl!.NoCache);
        using HttpRequestMessage again = new(HttpMethod.Get, new Uri(_host.AdminUri, "/"));
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using HttpResponseMessage second = await s_client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Scripts_Compressed_AreSmallAndTheSame()
    {
        string page = await s_client.GetStringAsync(new Uri(_host.AdminUri, "/"));
        string[] atOnce = [.. AssetPath().Matches(page).Select(match => match.Value).Where(path => path.EndsWith(".js", StringComparison.Ordinal))];
        string folder = atOnce[0][..atOnce[0].LastIndexOf('/')];
        string[] all = [.. DashboardAsset.Names.Where(name => name.EndsWith(".js", StringComparison.Ordinal)).Select(name => $"{folder}/{name}")];
        Assert.Subset(all.ToHashSet(), atOnce.ToHashSet());
        int small = 0, whole = 0;
        foreach (string path in all)
        {
            byte[] plain = await s_client.GetByteArrayAsync(new Uri(_host.AdminUri, path));
            using HttpResponseMessage compressed = await GetAsync(path, "gzip");
            byte[] octets = await compressed.Content.ReadAsByteArrayAsync();
            Assert.Equal("gzip", compressed.Content.Headers.ContentEncoding.Single());
            await using GZipStream gzip = new(new MemoryStream(octets), CompressionMode.Decompress);
            using MemoryStream content = new();
            await gzip.CopyToAsync(content);
            Assert.Equal(plain, content.ToArray());
            whole += octets.Length;
            small += atOnce.Contains(path) ? octets.Length : 0;
        }

        Assert.InRange(small, 5_000, 16_000); // the frame and the login
        Assert.InRange(whole, 40_000, 64_000); // of which the charts are 23,000
    }

    [Fact]
    public async Task Licences_OfWhatItContains_AreInTheAssembly()
    {
        string licences = System.Text.Encoding.UTF8.GetString(DashboardAsset.ReadEmbedded("LICENSES.txt"));
        Assert.Contains("preact", licences, StringComparison.Ordinal);
        Assert.Contains("uplot", licences, StringComparison.Ordinal);
        using HttpResponseMessage served = await GetAsync("/assets/LICENSES.txt");
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? encoding = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(_host.AdminUri, path));
        if (encoding is not null)
        {
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(encoding));
        }

        return await s_client.SendAsync(request);
    }

    [GeneratedRegex("/assets/[0-9a-f]{16}/[A-Za-z0-9.-]+")]
    private static partial Regex AssetPath();
}
