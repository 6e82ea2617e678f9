using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>An import or a bulk operation that is killed midway is begun again by the same command, and then all of it is there, once.</summary>
[Collection(LoadTests.Name)]
public sealed class InterruptedImportTests(ITestOutputHelper output) : IDisposable
{
    private const int Killed = 137; // 128 + SIGKILL
    private const int Count = 60_000;

    private static readonly IssuerId s_demo = new("demo");

    private readonly ScratchDirectory _directory = new();

    private string Data => _directory.File("data");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Import_KilledMidway_IsCompletedByTheSameCommand()
    {
        await Tracer.SkipUnlessUsableAsync();
        await File.WriteAllTextAsync(_directory.File("events.csv"), "serial,kind,at,id\n" + string.Concat(Enumerable.Range(0, Count).Select(i => $"{SerialOf(i)},issued,2026-01-01T00:00:00Z,e-{i}\n")));
        string[] import = ["import", "csv", "--issuer", "demo", "--file", "events.csv"];
        long before = await MakeDemoAsync();
        List<long> positions = [];
        foreach (Step step in new[] { new Step("fdatasync", 2, Step.Log), new Step("pwrite64", 2500, Step.Log), new Step("fdatasync", 6, Step.Log) })
        {
            (int exitCode, _, string error) = await HostProcess.RunAsync(_directory.Path, import, wrapper: Tracer.KillAt(step, Data));
            Assert.True(exitCode == Killed, $"It was not killed at {step}, but ended with {exitCode}: {error}");
            positions.Add(await PositionAsync() - before);
        }

        (int last, string printed, string errors) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(last == 0, errors);
        output.WriteLine($"positions after the kills: {string.Join(", ", positions)}; then: {printed.Trim()}");
        Assert.True(positions[^1] is > 0 and < Count, $"No kill met it midway: {string.Join(", ", positions)}.");
        await MustHoldAllAsync(before, CertificateState.Good);
    }

    [Fact]
    public async Task Bulk_WhoseHostIsKilledMidway_IsCompletedByTheSameRequest()
    {
        await Tracer.SkipUnlessUsableAsync();
        string body = string.Join('\n', Enumerable.Range(0, Count).Select(SerialOf));
        long before = await MakeDemoAsync();
        await using (HostProcess killed = await HostProcess.StartUnderAsync(Tracer.KillAt(new Step("fdatasync", 4, Step.Log), Data), _directory.Path))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => BulkAsync(killed, body));
            Assert.Equal(Killed, (await killed.WaitForExitAsync()).ExitCode);
        }

        long position = await PositionAsync() - before;
        Assert.InRange(position, 1, Count - 1);
        await using (HostProcess host = await HostProcess.StartAsync(_directory.Path))
        {
            JsonElement summary = await BulkAsync(host, body);
            output.WriteLine($"position after the kill: {position}; then: {summary}");
            Assert.Equal(Count - position, summary.GetProperty("applied").GetInt64());
            Assert.Equal(position, summary.GetProperty("duplicate").GetInt64());
        }

        await MustHoldAllAsync(before, CertificateState.Revoked);
    }

    private static string SerialOf(int i) => string.Create(CultureInfo.InvariantCulture, $"5A{i:X8}5A");

    // The demo CA has a few certificates of its own; the kills are to meet the import alone.
    private async Task<long> MakeDemoAsync()
    {
        await (await HostProcess.StartAsync(_directory.Path)).DisposeAsync();
        return await PositionAsync();
    }

    private async Task<JsonElement> BulkAsync(HostProcess host, string body)
    {
        using HttpClient client = new() { Timeout = TimeSpan.FromMinutes(2) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(_directory.File("data/admin.key"))).Trim());
        using StringContent content = new(body, Encoding.UTF8, "text/plain");
        HttpResponseMessage response = await client.PostAsync(new Uri(host.AdminUri, "/v1/issuers/demo/bulk?id=theft&kind=revoked&reason=keyCompromise&at=2026-01-01T00:00:00Z"), content);
        string[] lines = (await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return JsonDocument.Parse(lines[^1]).RootElement.GetProperty("summary");
    }

    private async Task<long> PositionAsync()
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(Data);
        return await store.GetPositionAsync(s_demo, CancellationToken.None);
    }

    private async Task MustHoldAllAsync(long before, CertificateState state)
    {
        StoreAuditReport audit = await StoreAudit.VerifyAsync(Data, publicKeyFile: null, progress: null, CancellationToken.None);
        Assert.True(audit.IsAccepted, string.Join('\n', audit.Issuers));
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(Data);
        HashSet<string> serials = [];
        await foreach (JournalEntry entry in store.ReadJournalAsync(s_demo, before, CancellationToken.None))
        {
            Assert.True(serials.Add(entry.Event.Serial.ToString()), $"Serial {entry.Event.Serial} was recorded twice.");
            Assert.Equal(state, entry.Status.State);
        }

        Assert.Equal(Count, serials.Count);
    }
}
