using System.Net.Http.Headers;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>A server-sent event.</summary>
internal sealed record SentEvent(string Id, JsonElement Data);

/// <summary>A client of server-sent events, which does not reconnect by itself.</summary>
internal sealed class SubscribedStream : IDisposable
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 100 }) { Timeout = Timeout.InfiniteTimeSpan };

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;
    private readonly CancellationTokenSource _giveUp = new(TimeSpan.FromSeconds(60));

    private SubscribedStream(HttpResponseMessage response, StreamReader reader)
    {
        _response = response;
        _reader = reader;
    }

    public string? MediaType => _response.Content.Headers.ContentType?.MediaType;

    /// <summary>Connects, and returns when the stream has begun.</summary>
    public static async Task<SubscribedStream> OpenAsync(IAuthorityHost host, string path, string key, string? lastEventId = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(host.AdminUri, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        HttpResponseMessage response = (await s_client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
        SubscribedStream stream = new(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        Assert.Equal("retry: 1000", await stream.ReadLineAsync());
        Assert.Equal("", await stream.ReadLineAsync());
        return stream;
    }

    /// <summary>The next event.</summary>
    public async Task<SentEvent> ReadAsync()
    {
        string? id = await ReadLineAsync();
        Assert.StartsWith("id: ", id, StringComparison.Ordinal);
        string? data = await ReadLineAsync();
        Assert.StartsWith("data: ", data, StringComparison.Ordinal);
        Assert.Equal("", await ReadLineAsync());
        return new SentEvent(id![4..], JsonDocument.Parse(data![6..]).RootElement);
    }

    /// <summary>The next line as it came; null at the end.</summary>
    public async Task<string?> ReadLineAsync() => await _reader.ReadLineAsync(_giveUp.Token);

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
        _giveUp.Dispose();
    }
}
