using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using OcspCluster.Conformance;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>What one silo of several does for all, delivering and looking at sources, goes on at another when it is killed. Processes over a real Redis.</summary>
public sealed class TakeoverTests : IDisposable
{
    private const string Webhook = "siem";

    private readonly ScratchDirectory _directory = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };
    private string? _key;

    public void Dispose()
    {
        _client.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task SiloThatDeliversAndLooksAtSources_IsKilled_AnotherDoesBoth_AndNothingIsMissedOrDoneByTwo()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        await using RedisServer redis = await RedisServer.StartAsync();
        string index = _directory.File("index.txt");
        WriteIndex(index, 1);
        string secret = _directory.File("secret");
        await File.WriteAllTextAsync(secret, "whsec_" + Convert.ToBase64String(new byte[32]), TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        IReadOnlyDictionary<string, string> settings = ResponderSetup.Of(Issuers.Alpha.With(("IndexSource:File", index), ("IndexSource:Interval", "00:00:01")))
            .With(($"Webhooks:{Webhook}:Url", receiver.Uri.ToString()), ($"Webhooks:{Webhook}:SecretFile", secret), ($"Webhooks:{Webhook}:From", "Beginning")).WriteTo(_directory.Path);
        List<SiloProcess> silos = [];
        try
        {
            for (int i = 0; i < 3; i++)
            {
                silos.Add(await SiloProcess.StartAsync(_directory.Path, [
                    "--redis", redis.Configuration, "--silo-port", Ports.Next(), "--gateway-port", "0", "--data", _directory.File($"data-{i}"),
                    .. settings.SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" })]));
                _key ??= (await File.ReadAllTextAsync(_directory.File("data-0/admin.key"), TestContext.Current.CancellationToken)).Trim();
            }

            // The certificate of the index is recorded by one silo, and told by one.
            List<string> told = [.. await ReadSerialsAsync(receiver, 1)];
            SiloProcess looks = await FindAsync(silos, LooksAsync);
            SiloProcess delivers = await FindAsync(silos, DeliversAsync);
            foreach (SiloProcess other in silos.Where(silo => silo != looks))
            {
                await UntilAsync(async () => await HolderOfSourceAsync(other) is not null);
            }

            foreach (SiloProcess lost in new[] { looks, delivers }.Distinct())
            {
                await lost.KillAsync();
                silos.Remove(lost);
                if (silos.Count == 1)
                {
                    break;
                }
            }

            WriteIndex(index, 2);
            told.AddRange(await ReadSerialsAsync(receiver, 1));
            Assert.Equal(["01", "02"], told);
            Assert.Equal(1, await CountAsync(silos, LooksAsync));
            Assert.Equal(1, await CountAsync(silos, DeliversAsync));
            Assert.False(receiver.HasMore);
        }
        finally
        {
            foreach (SiloProcess silo in silos)
            {
                await silo.DisposeAsync();
            }
        }
    }

    private static void WriteIndex(string file, int certificates) =>
        File.WriteAllLines(file, Enumerable.Range(1, certificates).Select(serial => string.Create(CultureInfo.InvariantCulture, $"R\t300101000000Z\t260101000000Z\t{serial:X2}\tunknown\t/CN={serial}")));

    private static async Task<IEnumerable<string>> ReadSerialsAsync(RecordingReceiver receiver, int count)
    {
        List<string> serials = [];
        while (serials.Count < count)
        {
            ReceivedRequest request = await receiver.ReadAsync();
            foreach (JsonElement told in JsonDocument.Parse(request.Body).RootElement.GetProperty("data").GetProperty("events").EnumerateArray())
            {
                // Issued and revoked, one after the other: a certificate counts with its revocation.
                if (told.GetProperty("kind").GetString() == "revoked")
                {
                    serials.Add(told.GetProperty("serial").GetString()!);
                }
            }
        }

        return serials;
    }

    private async Task<bool> LooksAsync(SiloProcess silo)
    {
        JsonElement source = await SourceAsync(silo);
        return source.GetProperty("heldBy").ValueKind == JsonValueKind.Null && source.GetProperty("lastSuccess").ValueKind != JsonValueKind.Null;
    }

    private async Task<string?> HolderOfSourceAsync(SiloProcess silo) => (await SourceAsync(silo)).GetProperty("heldBy").GetString();

    private async Task<JsonElement> SourceAsync(SiloProcess silo) => (await GetAsync(silo, "v1/issuers/alpha")).GetProperty("sources").EnumerateArray().Single();

    private async Task<bool> DeliversAsync(SiloProcess silo) =>
        (await GetAsync(silo, "v1/webhooks")).GetProperty("webhooks").EnumerateArray().Single(one => one.GetProperty("name").GetString() == Webhook).GetProperty("lastSuccessAt").ValueKind != JsonValueKind.Null;

    private static async Task<int> CountAsync(IEnumerable<SiloProcess> silos, Func<SiloProcess, Task<bool>> condition)
    {
        bool[] are = await Task.WhenAll(silos.Select(condition));
        return are.Count(one => one);
    }

    private static async Task<SiloProcess> FindAsync(IReadOnlyList<SiloProcess> silos, Func<SiloProcess, Task<bool>> condition)
    {
        SiloProcess? found = null;
        await UntilAsync(async () =>
        {
            foreach (SiloProcess silo in silos)
            {
                if (await condition(silo))
                {
                    found = silo;
                    return true;
                }
            }

            return false;
        });
        return found!;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        long began = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(90), "It is not so after 90 seconds.");
            await timer.WaitForNextTickAsync();
        }
    }

    private async Task<JsonElement> GetAsync(SiloProcess silo, string path)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(silo.AdminUri, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
