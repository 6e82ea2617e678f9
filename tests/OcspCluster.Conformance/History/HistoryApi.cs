using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>The outcome of one event of a submission, as the feed told it.</summary>
internal readonly record struct ToldOutcome(string Id, string Outcome, long Position, string? Reason);

/// <summary>The admin API as a CA and an operator use it. Thread-safe.</summary>
internal sealed class HistoryApi : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(20) };
    private readonly IHistoryHost _host;
    private readonly HistoryWorkload _workload;

    public HistoryApi(IHistoryHost host, HistoryWorkload workload)
    {
        (_host, _workload) = (host, workload);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);
    }

    /// <summary>Submits events; null when the outcome is unknown.</summary>
    public async Task<IReadOnlyList<ToldOutcome>?> SubmitAsync(IHistoryGateway gateway, IReadOnlyList<HistoryEvent> events)
    {
        try
        {
            using ByteArrayContent body = new(Encoding.UTF8.GetBytes($"[{string.Join(',', events.Select(Write))}]"));
            body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using HttpResponseMessage response = await _client.PostAsync(new Uri(gateway.AdminUri, $"/v1/issuers/{_host.Issuer}/events"), body);
            string text = await response.Content.ReadAsStringAsync();
            return response.IsSuccessStatusCode
                ? [.. JsonDocument.Parse(text).RootElement.GetProperty("outcomes").EnumerateArray().Select(ReadOutcome)]
                : (int)response.StatusCode is 429 or >= 500 ? null : throw new InvalidDataException($"The feed answered {(int)response.StatusCode}: {text}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The whole journal behind a position, page by page; null when it could not be read.</summary>
    public async Task<IReadOnlyList<JournalLine>?> ReadJournalAsync(IHistoryGateway gateway, long after = 0)
    {
        List<JournalLine> journal = [];
        try
        {
            while (true)
            {
                Uri page = new(gateway.AdminUri, string.Create(CultureInfo.InvariantCulture, $"/v1/issuers/{_host.Issuer}/journal?limit=10000&after={after}"));
                using HttpResponseMessage response = await _client.GetAsync(page);
                string text = await response.Content.ReadAsStringAsync();
                if (!response.IsSuccessStatusCode)
                {
                    return null;
                }

                int before = journal.Count;
                journal.AddRange(text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => ReadLine(JsonDocument.Parse(line).RootElement)));
                if (journal.Count == before)
                {
                    return journal;
                }

                after = journal[^1].Position;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();

    private string Write(HistoryEvent told) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"{{told.Id}}","serial":"{{Convert.ToHexString(_workload.SerialOf(told.Serial))}}","kind":"{{told.Kind.ToString().ToLowerInvariant()}}","at":"{{told.At:yyyy-MM-dd'T'HH:mm:ss'Z'}}"{{(told.Reason is { } reason ? $",\"reason\":{reason}" : "")}}}""");

    private static ToldOutcome ReadOutcome(JsonElement outcome) => new(
        outcome.GetProperty("id").GetString()!,
        outcome.GetProperty("outcome").GetString()!,
        outcome.GetProperty("position").GetInt64(),
        outcome.TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : null);

    private static JournalLine ReadLine(JsonElement line)
    {
        JsonElement status = line.GetProperty("status");
        string state = status.GetProperty("status").GetString()!;
        ShownStatus shown = state == "good"
            ? ShownStatus.Good
            : ShownStatus.RevokedAt(status.GetProperty("revocationTime").GetDateTimeOffset(), state == "held" ? ShownStatus.CertificateHold : ReadReason(status) ?? ShownStatus.NoReason);
        return new JournalLine(
            line.GetProperty("position").GetInt64(),
            line.GetProperty("id").GetString()!,
            line.GetProperty("serial").GetString()!.ToUpperInvariant(),
            Enum.Parse<HistoryEventKind>(line.GetProperty("kind").GetString()!, ignoreCase: true),
            line.GetProperty("at").GetDateTimeOffset(),
            ReadReason(line),
            shown);
    }

    private static int? ReadReason(JsonElement element) => !element.TryGetProperty("reason", out JsonElement reason) || reason.ValueKind == JsonValueKind.Null
        ? null
        : reason.GetString() switch
        {
            "unspecified" => 0,
            "keyCompromise" => 1,
            "cACompromise" or "caCompromise" => 2,
            "affiliationChanged" => 3,
            "superseded" => 4,
            "cessationOfOperation" => 5,
            "certificateHold" => 6,
            "privilegeWithdrawn" => 9,
            "aACompromise" or "aaCompromise" => 10,
            var other => throw new InvalidDataException($"No such reason: {other}."),
        };
}
