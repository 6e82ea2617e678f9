using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>
/// What docs/OPERATIONS.md says of memory, disk and presigning: the real program in a process of its own over a store of so many certificates, of which at most a million have
/// not ended and are presigned. Run with <c>dotnet run -c Release --project tests/OcspCluster.Standalone.Tests -- measure-memory 1000000</c>; with <c>0</c> behind it no signature is verified.
/// </summary>
internal static class MemoryMeasurements
{
    private const int Chunk = 262_144;
    private const int Batch = 4096;
    private const int Presigned = 1_000_000;

    public static async Task RunAsync(int certificates, double verifySample)
    {
        using ScratchDirectory directory = new();
        IReadOnlyDictionary<string, string> keys = ResponderSetup.Of(Issuers.Alpha).WriteTo(directory.Path);
        string data = directory.File("d");
        Console.WriteLine($"{Environment.ProcessorCount} processors, {SqliteRevocationStore.LibraryDescription}");
        await ImportAsync(data, certificates);
        Console.WriteLine($"file of {certificates:N0} certificates: {Megabytes(data, SqliteRevocationStore.FileName):N0} MB, {Megabytes(data, SqliteRevocationStore.FileName) * 1e6 / certificates:N0} octets each");

        string[] arguments = ["--data", "d", .. keys.SelectMany(key => new[] { "--set", $"{key.Key}={key.Value}" }), "--set", "Ocsp:CacheBytes=4000000000"];
        await using (HostProcess idle = await StartAsync(directory.Path, arguments))
        {
            Report(idle, "after the start");
        }

        string[] presign = [.. arguments, "--set", "Issuers:alpha:Presign=All", "--set", "Issuers:alpha:RefreshSignaturesPerSecond=1000000", "--set", string.Create(CultureInfo.InvariantCulture, $"Issuers:alpha:VerifySample={verifySample}")];
        await PresignAsync(directory, presign, "presigned");
        Console.WriteLine($"kept answers: {Megabytes(data, SqliteResponseStore.FileName):N0} MB, {Megabytes(data, SqliteResponseStore.FileName) * 1e6 / Math.Min(certificates, Presigned):N0} octets each");
        await PresignAsync(directory, presign, "after a restart");
    }

    private static async Task PresignAsync(ScratchDirectory directory, string[] arguments, string what)
    {
        await using HostProcess host = await StartAsync(directory.Path, arguments);
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(directory.File("d/admin.key"))).Trim());
        double processor = ProcessorSeconds(host.ProcessId);
        long start = Stopwatch.GetTimestamp();
        JsonElement refresh;
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        do
        {
            await timer.WaitForNextTickAsync();
            refresh = JsonDocument.Parse(await client.GetStringAsync(new Uri(host.AdminUri, "v1/issuers/alpha/refresh"))).RootElement;
        }
        while (!refresh.GetProperty("isComplete").GetBoolean() || refresh.GetProperty("backlog").GetInt32() > 0);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double used = ProcessorSeconds(host.ProcessId) - processor;
        long signatures = refresh.GetProperty("signatures").GetInt64();
        Console.WriteLine($"{what}: {refresh.GetProperty("tracked").GetInt32():N0} tracked, {signatures:N0} signed in {seconds:N1} s, {used:N1} s of processor time{(signatures > 0 ? $", {signatures / used:N0} answers per core-second" : "")}");
        Report(host, what);
        host.Terminate();
        await host.WaitForExitAsync();
    }

    private static async Task<HostProcess> StartAsync(string directory, string[] arguments)
    {
        long start = Stopwatch.GetTimestamp();
        HostProcess host = await HostProcess.StartAsync(directory, arguments);
        Console.WriteLine($"start: {Stopwatch.GetElapsedTime(start).TotalSeconds:N2} s");
        return host;
    }

    // Straight into the store, in chunks sorted by serial number and appends of some thousand, as imports of files do it: the quickest way that keeps chain and tree.
    private static async Task ImportAsync(string data, int certificates)
    {
        long start = Stopwatch.GetTimestamp(), last = start;
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(data);
        IssuerId issuer = new("alpha");
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        for (int done = 0; done < certificates;)
        {
            (SerialNumber Serial, int Number)[] chunk =
            [
                .. Enumerable.Range(done, Math.Min(Chunk, certificates - done)).Select(i => (SerialNumber.FromContent([0x01, .. SHA256.HashData(BitConverter.GetBytes(i)).AsSpan(0, 15)]), i)).OrderBy(one => one.Item1),
            ];
            foreach ((SerialNumber Serial, int Number)[] batch in chunk.Chunk(Batch))
            {
                int position = done;
                JournalEntry[] entries = [.. batch.Select((one, i) => Entry(position + i + 1, one.Serial, one.Number < Presigned ? now.AddDays(300) : now.AddDays(-300), now))];
                await store.AppendAsync(issuer, position, entries);
                done += batch.Length;
            }

            Console.WriteLine($"  {done:N0} certificates: the last {chunk.Length:N0} at {chunk.Length / Stopwatch.GetElapsedTime(last).TotalSeconds:N0}/s");
            last = Stopwatch.GetTimestamp();
        }

        Console.WriteLine($"import: {Stopwatch.GetElapsedTime(start).TotalSeconds:N1} s, {certificates / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s");
    }

    private static JournalEntry Entry(long position, SerialNumber serial, DateTimeOffset notAfter, DateTimeOffset now) => new(
        position,
        new RevocationEvent { Id = serial.ToString(), Serial = serial, Kind = EventKind.Issued, At = now, NotAfter = notAfter },
        now,
        CertificateStatus.Good with { NotAfter = notAfter, RecordedAt = now, Position = position });

    private static void Report(HostProcess host, string what)
    {
        string[] status = File.ReadAllLines($"/proc/{host.ProcessId}/status");
        Console.WriteLine($"memory {what}: {Kilobytes("VmRSS:") / 1000:N0} MB resident, {Kilobytes("VmHWM:") / 1000:N0} MB at most, {Kilobytes("RssAnon:") / 1000:N0} MB of it its own");

        double Kilobytes(string name) => double.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1.024;
    }

    private static double ProcessorSeconds(int process)
    {
        using Process host = Process.GetProcessById(process);
        return host.TotalProcessorTime.TotalSeconds;
    }

    private static double Megabytes(string directory, string file) => new DirectoryInfo(directory).EnumerateFiles(file + "*").Sum(one => one.Length) / 1e6;
}
