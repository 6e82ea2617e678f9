using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>What all contracts of the admin API begin with.</summary>
public abstract class AuthorityContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };
    private static int s_lastSerial = 0x1000;

    /// <summary>The host that the class shares.</summary>
    protected async Task<IAuthorityHost> AuthorityAsync() => (IAuthorityHost)await DefaultAsync();

    /// <summary>A host of this test alone, with settings of the whole program.</summary>
    protected async Task<IAuthorityHost> OwnAuthorityAsync(params IEnumerable<(string Key, string Value)> settings) => (IAuthorityHost)await OwnAsync(Issuers.All.With(settings));

    /// <summary>A serial number that no other test has, in hexadecimal.</summary>
    protected static string NewSerial() => Interlocked.Increment(ref s_lastSerial).ToString("X8", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The octets of such a serial number.</summary>
    protected static byte[] Octets(string serial) => Protocol.SerialNumber.ParseHex(serial).Content.ToArray();

    /// <summary>An event as JSON.</summary>
    protected static string Json(string id, string serial, string kind, string? more = null) =>
        $$"""{"id":"{{id}}","serial":"{{serial}}","kind":"{{kind}}","at":"2026-06-14T09:08:07Z"{{(more is null ? "" : "," + more)}}}""";

    /// <summary>Sends a request to the admin listener.</summary>
    internal static async Task<ApiAnswer> SendAsync(
        IAuthorityHost host, HttpMethod method, string path, string? key, string? body = null, string contentType = "application/json")
    {
        using HttpRequestMessage request = new(method, new Uri(host.AdminUri, path));
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        using HttpResponseMessage response = await s_client.SendAsync(request);
        return new ApiAnswer(
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Posts events of Alpha with a key that may feed it.</summary>
    internal static Task<ApiAnswer> PostAsync(IAuthorityHost host, string body, string contentType = "application/json") =>
        SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", FeedKey(host), body, contentType);

    /// <summary>Gets what is below <c>/v1/issuers</c> with a key that may read everything.</summary>
    internal static Task<ApiAnswer> GetAsync(IAuthorityHost host, string path) => SendAsync(host, HttpMethod.Get, "/v1/issuers" + path, ReadKey(host));

    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<IAuthorityHost, string> s_feedKeys = [];
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<IAuthorityHost, string> s_readKeys = [];

    private static string FeedKey(IAuthorityHost host) => s_feedKeys.GetValue(host, one => one.CreateKey("feed:alpha"));

    /// <summary>A key that may read everything, one for each host.</summary>
    internal static string ReadKey(IAuthorityHost host) => s_readKeys.GetValue(host, one => one.CreateKey("read"));
}

/// <summary>An answer of the admin API.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, string? MediaType, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public JsonElement[] Lines => [.. Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The outcomes of a batch, in order, as <c>applied</c> or <c>refused: reason</c>.</summary>
    public IEnumerable<string> Outcomes
    {
        get
        {
            Assert.True(Status == HttpStatusCode.OK, $"{Status}: {Body}");
            return [.. Json.GetProperty("outcomes").EnumerateArray().Select(Describe)];
        }
    }

    public static string Describe(JsonElement outcome) =>
        outcome.GetProperty("outcome").GetString() + (outcome.TryGetProperty("reason", out JsonElement reason) ? ": " + reason.GetString() : "");

    /// <summary>Problem details of this status.</summary>
    public JsonElement MustBeProblem(HttpStatusCode status)
    {
        Assert.True(Status == status, $"Expected {status}, got {Status}: {Body}");
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal((int)status, Json.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(Json.GetProperty("title").GetString()));
        Assert.False(string.IsNullOrEmpty(Json.GetProperty("detail").GetString()));
        return Json;
    }
}
