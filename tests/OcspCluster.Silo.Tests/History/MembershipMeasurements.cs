using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OcspCluster.Conformance;

namespace OcspCluster.Silo.Tests.History;

/// <summary>
/// How soon silos that are killed or stand still are out of the membership, what that costs those who submit events, and whether full load evicts anybody. Not part of the tests: the machine decides. Run with
/// <c>dotnet run -c Cluster --project tests/OcspCluster.Silo.Tests -- measure-membership 60</c>; a second argument is another <c>Cluster:ProbeTimeout</c>.
/// </summary>
internal static class MembershipMeasurements
{
    public const string Verb = "measure-membership";

    private const int Rounds = 4;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(8);

    public static async Task RunAsync(TimeSpan load, string? probeTimeout)
    {
        ResponderSetup setup = ResponderSetup.Of(Issuers.Alpha).With(("Admin:RequestsPerSecond", "1000000"));
        if (probeTimeout is not null)
        {
            setup = setup.With(("Cluster:ProbeTimeout", probeTimeout));
        }

        await using SiloHistoryHost host = await SiloHistoryHost.StartSilosAsync(setup, SiloHistoryHost.Silos, hasNetwork: false);
        SupervisedSilo[] silos = [.. host.Gateways.Cast<SupervisedSilo>()];
        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);
        await UntilAllAreActiveAsync(client, silos);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ProbeTimeout {probeTimeout ?? Silo.Host.SiloHostOptions.DefaultProbeTimeout.ToString()}; {Environment.ProcessorCount} processors; {LoadAverage()}"));

        // Full load: four threads a processor that do nothing but count, beside an event after the other.
        int[] starts = [.. silos.Select(silo => silo.Starts)];
        using (CancellationTokenSource stop = new(load))
        {
            Thread[] busy = [.. Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => new Thread(() => Burn(stop.Token)) { IsBackground = true })];
            Array.ForEach(busy, thread => thread.Start());
            TimeSpan longest = await SubmitUntilAsync(client, host, silos, stop.Token);
            Array.ForEach(busy, thread => thread.Join());
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{load.TotalSeconds:F0} s with {busy.Length} busy threads: {silos.Where((silo, i) => silo.Starts != starts[i]).Count()} silos were evicted; longest time without an acknowledgement {longest.TotalMilliseconds:F0} ms; {LoadAverage()}"));
        }

        for (int round = 0; round < Rounds * 2; round++)
        {
            await UntilAllAreActiveAsync(client, silos);
            bool isKill = round % 2 == 0;
            SupervisedSilo struck = silos[round / 2 % silos.Length];
            SupervisedSilo[] others = [.. silos.Where(silo => silo != struck)];
            string address = await AddressOfAsync(client, struck);
            using CancellationTokenSource stop = new();
            Task<TimeSpan> submitting = SubmitUntilAsync(client, host, others, stop.Token);
            long began = Stopwatch.GetTimestamp();
            Host.SiloProcess process = struck.Process!;
            if (isKill)
            {
                process.Kill();
            }
            else
            {
                process.Pause();
            }

            TimeSpan? wasOut = await UntilOutAsync(client, others[0], address, began);
            await HistoryPause.UntilAsync(TimeSpan.FromSeconds(3) - Stopwatch.GetElapsedTime(began), CancellationToken.None);
            await stop.CancelAsync();
            TimeSpan gap = await submitting;
            if (!isKill)
            {
                process.Resume();
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(isKill ? "kill -9" : "SIGSTOP")} of {struck.Name}: out of the membership after {(wasOut is { } after ? $"{after.TotalSeconds:F2} s" : $"more than {s_pause.TotalSeconds:F0} s")}, longest time without an acknowledgement {gap.TotalSeconds:F2} s"));
        }
    }

    private static string LoadAverage() => File.Exists("/proc/loadavg") ? "load average " + File.ReadAllText("/proc/loadavg").Split(' ')[0] : "load average unknown";

    private static void Burn(CancellationToken stop)
    {
        ulong number = 1;
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < 1_000_000; i++)
            {
                number = (number * 6364136223846793005) + 1442695040888963407;
            }
        }

        GC.KeepAlive(number);
    }

    // One event after the other, at one silo after the other; one whose outcome is not known is sent again, as a CA does.
    private static async Task<TimeSpan> SubmitUntilAsync(HttpClient client, SiloHistoryHost host, SupervisedSilo[] silos, CancellationToken stop)
    {
        TimeSpan longest = TimeSpan.Zero;
        long last = Stopwatch.GetTimestamp();
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            string id = Guid.NewGuid().ToString("N");
            while (!await TrySubmitAsync(client, host, silos[i % silos.Length], id) && !stop.IsCancellationRequested)
            {
                i++;
            }

            longest = Stopwatch.GetElapsedTime(last) is var gap && gap > longest ? gap : longest;
            last = Stopwatch.GetTimestamp();
        }

        return longest;
    }

    private static async Task<bool> TrySubmitAsync(HttpClient client, SiloHistoryHost host, SupervisedSilo silo, string id)
    {
        string at = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        using StringContent body = new($$"""[{"id":"{{id}}","serial":"4{{id}}","kind":"issued","at":"{{at}}"}]""", Encoding.UTF8, "application/json");
        try
        {
            using HttpResponseMessage response = await client.PostAsync(new Uri(silo.AdminUri, $"/v1/issuers/{host.Issuer}/events"), body);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    // Asked every 20 ms without waiting for the last answer: one that asks the lost silo, too, takes a second.
    private static async Task<TimeSpan?> UntilOutAsync(HttpClient client, SupervisedSilo asked, string address, long began)
    {
        TaskCompletionSource<TimeSpan> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!seen.Task.IsCompleted && Stopwatch.GetElapsedTime(began) < s_pause)
        {
            _ = LookAsync();
            await timer.WaitForNextTickAsync();
        }

        return seen.Task.IsCompletedSuccessfully ? await seen.Task : null;

        async Task LookAsync()
        {
            TimeSpan at = Stopwatch.GetElapsedTime(began);
            try
            {
                if (await StateOfAsync(client, asked, address) is null or "dead")
                {
                    seen.TrySetResult(at);
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or ObjectDisposedException)
            {
                // The next look.
            }
        }
    }

    private static async Task UntilAllAreActiveAsync(HttpClient client, SupervisedSilo[] silos)
    {
        while (true)
        {
            try
            {
                bool areAll = true;
                foreach (SupervisedSilo silo in silos)
                {
                    areAll &= (await NodesAsync(client, silo)).Count(node => node.GetProperty("state").GetString() == "active") == silos.Length;
                }

                if (areAll)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // It is just started again.
            }

            await HistoryPause.UntilAsync(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }

    private static async Task<string> AddressOfAsync(HttpClient client, SupervisedSilo silo) =>
        (await NodesAsync(client, silo)).Single(node => node.GetProperty("isSelf").GetBoolean()).GetProperty("address").GetString()!;

    private static async Task<string?> StateOfAsync(HttpClient client, SupervisedSilo asked, string address) =>
        (await NodesAsync(client, asked)).Where(node => node.GetProperty("address").GetString() == address).Select(node => node.GetProperty("state").GetString()).FirstOrDefault();

    private static async Task<JsonElement[]> NodesAsync(HttpClient client, SupervisedSilo silo)
    {
        string json = await client.GetStringAsync(new Uri(silo.AdminUri, "/v1/cluster"));
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("nodes").EnumerateArray()];
    }
}
