using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Delivery;

/// <summary>The program killed while it delivers.</summary>
public sealed class WebhookProcessTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly string _secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Kill_BetweenDeliveryAndCursor_SendsTheSameMessageAgainAndLosesNothing()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        File.WriteAllText(_directory.File("secret"), "whsec_" + _secret);
        string[] arguments =
            ["--set", $"Webhooks:siem:Url={new Uri(receiver.Uri, "/in?token=hush")}", "--set", $"Webhooks:siem:SecretFile={_directory.File("secret")}", "--set", "Webhooks:siem:From=Beginning", "--set", "Webhooks:siem:BatchSize=5"];
        SortedSet<long> delivered = [];
        string log = "";
        for (int round = 0; round < 8; round++)
        {
            await using HostProcess host = await HostProcess.StartAsync(_directory.Path, arguments);
            while (receiver.HasMore)
            {
                Take(await receiver.ReadAsync(), delivered);
            }

            // It has the message and does not answer: the host cannot have moved the cursor. The journal goes on meanwhile.
            TaskCompletionSource<ReceivedRequest> arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
            receiver.Answer = async (request, aborted) =>
            {
                arrived.TrySetResult(request);
                await Task.Delay(Timeout.InfiniteTimeSpan, aborted);
                return new ReceiverAnswer(200);
            };
            await RevokeAsync(host, round, 0);
            ReceivedRequest held = await arrived.Task.WaitAsync(TimeSpan.FromSeconds(60));
            for (int i = 1; i <= 3; i++)
            {
                await RevokeAsync(host, round, i);
            }

            await host.KillAsync();
            log += (await host.WaitForExitAsync()).Error;
            TaskCompletionSource<ReceivedRequest> next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            receiver.Answer = (request, _) =>
            {
                next.TrySetResult(request);
                return Task.FromResult(new ReceiverAnswer(200));
            };
            await using HostProcess again = await HostProcess.StartAsync(_directory.Path, arguments);
            ReceivedRequest repeated = await next.Task.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(held.Headers["webhook-id"], repeated.Headers["webhook-id"]);
            Assert.Equal(Encoding.UTF8.GetString(held.Body), Encoding.UTF8.GetString(repeated.Body));
            while (!delivered.Contains(await PositionAsync(again)))
            {
                Take(await receiver.ReadAsync(), delivered);
            }

            Assert.Equal(Enumerable.Range(1, delivered.Count).Select(position => (long)position), delivered);
            again.Terminate();
            log += (await again.WaitForExitAsync()).Error;
        }

        Assert.DoesNotContain(_secret, log, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", log, StringComparison.Ordinal);
    }

    // What comes again was there before; what is new goes on without a gap.
    private static void Take(ReceivedRequest request, SortedSet<long> delivered)
    {
        foreach (JsonElement one in JsonDocument.Parse(request.Body).RootElement.GetProperty("data").GetProperty("events").EnumerateArray())
        {
            long position = one.GetProperty("position").GetInt64();
            Assert.InRange(position, 1, delivered.Max + 1);
            delivered.Add(position);
        }
    }

    private async Task RevokeAsync(HostProcess host, int round, int number)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(host.AdminUri, "/v1/issuers/demo/events"));
        request.Content = new StringContent(
            string.Create(CultureInfo.InvariantCulture, $$"""{"id":"r-{{round}}-{{number}}","serial":"{{0x7000 + (round * 16) + number:X4}}","kind":"revoked","at":"2026-01-02T03:04:05Z","reason":"superseded"}"""), Encoding.UTF8, "application/json");
        (await SendAsync(request)).GetProperty("outcomes");
    }

    private async Task<long> PositionAsync(HostProcess host)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(host.AdminUri, "/v1/issuers/demo"));
        return (await SendAsync(request)).GetProperty("position").GetInt64();
    }

    private async Task<JsonElement> SendAsync(HttpRequestMessage request)
    {
        using HttpClient client = new();
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(_directory.File("data/admin.key"))).Trim());
        using HttpResponseMessage response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }
}
