using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OcspCluster.Cli;

/// <summary>A responder's admin API (docs/API.md). What goes wrong is a <see cref="CommandFailure"/> that says what to do.</summary>
internal sealed class AdminApi : IDisposable
{
    /// <summary>How its JSON is read: what this tool does not know of a newer responder is passed over.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.Strict };

    private readonly HttpClient _client;
    private readonly bool _hasCredential;
    private readonly TimeSpan _timeout;

    /// <param name="uri">Where it listens.</param>
    /// <param name="key">Who asks, <c>id.secret</c>; null where nobody says, or a certificate does.</param>
    /// <param name="roots">Whom to trust instead of the system's roots; empty for those.</param>
    /// <param name="clientCertificate">Who asks, by certificate.</param>
    /// <param name="timeout">Until an answer begins.</param>
    public AdminApi(Uri uri, string? key, IReadOnlyList<X509Certificate2> roots, X509Certificate2? clientCertificate, TimeSpan timeout)
    {
        Uri = uri;
        _timeout = timeout;
        _hasCredential = key is not null || clientCertificate is not null;
        SslClientAuthenticationOptions tls = new();
        if (roots.Count > 0)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(roots.ToArray());
        }

        if (clientCertificate is not null)
        {
            tls.ClientCertificates = [clientCertificate];
        }

        // A key is sent to nobody but who was named: no redirects, and on this machine no proxy.
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !uri.IsLoopback, SslOptions = tls, ConnectTimeout = timeout })
        {
            BaseAddress = uri,
            Timeout = Timeout.InfiniteTimeSpan, // imports and streams go on; what waits for an answer has its own
        };
        if (key is not null)
        {
            _client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + key);
        }
    }

    /// <summary>Where it listens.</summary>
    public Uri Uri { get; }

    /// <summary>Gets a resource as JSON.</summary>
    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => await SendAsync(HttpMethod.Get, path, body: null, cancellationToken).ConfigureAwait(false);

    /// <summary>Gets a resource.</summary>
    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) => (await GetAsync(path, cancellationToken).ConfigureAwait(false)).Deserialize<T>(Json)!;

    /// <summary>Gets a resource; null when there is none such.</summary>
    public async Task<JsonElement?> FindAsync(string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AskAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets a resource as text.</summary>
    public async Task<string> GetTextAsync(string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AskAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false) : throw await FailureOfAsync(response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends JSON, and reads what comes.</summary>
    public async Task<JsonElement> SendAsync(HttpMethod method, string path, string? body, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await AskAsync(request, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks, and has any answer: for what stands beside the API, as health does.</summary>
    public Task<HttpResponseMessage> AskAsync(string path, CancellationToken cancellationToken) => AskAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    /// <summary>Gets an answer of one JSON object per line.</summary>
    public async Task<IReadOnlyList<JsonElement>> GetLinesAsync(string path, CancellationToken cancellationToken) =>
        [.. (await GetTextAsync(path, cancellationToken).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    /// <summary>Sends a body of any length, and reads the answer line by line as it comes, one JSON object each.</summary>
    public async IAsyncEnumerable<JsonElement> PostLinesAsync(string path, HttpContent content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Post, path) { Content = content };
        using HttpResponseMessage response = await AskAsync(request, cancellationToken, isPatient: true).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw await FailureOfAsync(response, cancellationToken).ConfigureAwait(false);
        }

        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        while (await ReadLineAsync(lines, cancellationToken).ConfigureAwait(false) is string line)
        {
            yield return Parse(line);
        }
    }

    /// <summary>Opens a stream of server-sent events.</summary>
    public async Task<HttpResponseMessage> OpenStreamAsync(string path, string? lastEventId, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        HttpResponseMessage response = await AskAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await FailureOfAsync(response, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The issuer that the command line names, or the only one there is.</summary>
    public async Task<string> FindIssuerAsync(string? named, CancellationToken cancellationToken)
    {
        if (named is not null)
        {
            return System.Uri.EscapeDataString(named);
        }

        string[] issuers = await FindIssuersAsync(cancellationToken).ConfigureAwait(false);
        return issuers switch
        {
            [string only] => only,
            [] => throw new CommandFailure($"The key may see no issuer of {Uri}. 'ocspctl keys list' tells what it allows."),
            _ => throw new CommandFailure($"Which issuer? {Uri} has {string.Join(", ", issuers)}: say --issuer ID.", ExitCode.Usage),
        };
    }

    /// <summary>The ids of all issuers that the caller may see.</summary>
    public async Task<string[]> FindIssuersAsync(CancellationToken cancellationToken) =>
        [.. (await GetAsync("/v1/issuers", cancellationToken).ConfigureAwait(false)).GetProperty("issuers").EnumerateArray().Select(issuer => issuer.GetProperty("id").GetString()!)];

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken, bool isPatient = false)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(isPatient ? Timeout.InfiniteTimeSpan : _timeout);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandFailure($"{Uri} did not answer within {_timeout.TotalSeconds:0.###} s. Give it longer: --timeout SECONDS.") { IsTransient = true };
        }
        catch (HttpRequestException e)
        {
            string message = e.InnerException is AuthenticationException tls
                ? $"{Uri}: {tls.Message.TrimEnd('.')}. If its certificate is of your own CA, say --ca-file FILE."
                : $"{Uri} cannot be reached: {(e.InnerException ?? e).Message.TrimEnd('.')}. Does the responder run, and is this its Admin:Url? Say --admin URL.";
            throw new CommandFailure(message) { IsTransient = e.InnerException is not AuthenticationException };
        }
        catch (IOException e)
        {
            throw CutOff(e);
        }
        finally
        {
            request.Dispose();
        }
    }

    private async Task<string?> ReadLineAsync(StreamReader lines, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw CutOff(e);
        }
    }

    private async Task<JsonElement> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw await FailureOfAsync(response, cancellationToken).ConfigureAwait(false);
        }

        string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return text.Length == 0 ? default : Parse(text);
    }

    private JsonElement Parse(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{Uri} answers something that is not JSON: is it a responder's admin listener?");
        }
    }

    private CommandFailure CutOff(Exception e) => new($"{Uri}: the connection was cut off: {e.Message.TrimEnd('.')}.") { IsTransient = true };

    private async Task<CommandFailure> FailureOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string detail = await DetailOfAsync(response, cancellationToken).ConfigureAwait(false);
        string advice = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized when !_hasCredential => " Give a key: --key-file FILE (the first start writes one to data/admin.key).",
            HttpStatusCode.Unauthorized => " The key is wrong, revoked or expired.",
            HttpStatusCode.Forbidden => " The key's scopes do not allow it; 'ocspctl keys create' makes another.",
            HttpStatusCode.TooManyRequests => $" Try again in {response.Headers.RetryAfter?.Delta?.TotalSeconds ?? 1:0} s.",
            HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.Conflict => "",
            _ when (int)response.StatusCode is >= 300 and < 400 => " It redirects, and a key is not sent on: give the address itself.",
            _ => "",
        };
        bool isUsage = response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound;
        return new CommandFailure($"{Uri.GetLeftPart(UriPartial.Authority)}: {detail}{advice}", isUsage ? ExitCode.Usage : ExitCode.CouldNotTell) { IsTransient = (int)response.StatusCode is 429 or >= 500 };
    }

    private static async Task<string> DetailOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string status = $"{(int)response.StatusCode} {response.ReasonPhrase}";
        try
        {
            using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
            return $"{status}: {problem.RootElement.GetProperty("detail").GetString()}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return status + ".";
        }
    }
}
