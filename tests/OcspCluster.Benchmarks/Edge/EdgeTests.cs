using System.Security.Cryptography;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Edge;

/// <summary>The configurations of <c>deploy/edge/</c>, run as they are in front of the standalone host.</summary>
public sealed class EdgeTests
{
    private const int Serials = 2000;
    private const int RequestsPerConnection = 500; // nginx takes a thousand

    public static TheoryData<string, string> Files => [.. EdgeServer.All.Select(edge => (edge.File, edge.Program))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task ThroughTheEdge_OpenSslAndRawTargets_AreAnsweredAsTheyWereAsked(string file, string program)
    {
        Assert.SkipWhen(ExternalTool.Find(program) is null, $"This machine has no {program}.");
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, 3);
        Contestant responder = await Contestant.StandaloneAsync(work);
        await using ServerProcess host = responder.Server;
        (ServerProcess edge, Uri url) = await EdgeServer.StartAsync(file, directory.Path, responder.Url, responder.Admin!);
        await using ServerProcess server = edge;

        ToolResult asked = await openssl.RunAsync(
            ["ocsp", "-issuer", work.CaFile, "-serial", "0x" + Convert.ToHexString(work.Serial(0)), "-url", url.AbsoluteUri, "-CAfile", work.CaFile, "-no_nonce"], directory.Path);
        Assert.Contains("Response verify OK", asked.Error, StringComparison.Ordinal);
        Assert.Contains(": good", asked.Output, StringComparison.Ordinal);

        // openssl asks by POST only; what GET brings it shall judge, too. Escaped and raw, twice each: from a cache the second time where there is one.
        foreach (string target in (string[])[work.Target(1), "/" + GetTarget.Raw(work.Request(1)), work.Target(1), "/" + GetTarget.Raw(work.Request(1))])
        {
            RawHttpResponse answer = await GetAsync(target);
            Assert.Contains("must-revalidate", answer.Header("Cache-Control"), StringComparison.Ordinal);
            string response = directory.File("answer.der");
            await File.WriteAllBytesAsync(response, answer.Body, TestContext.Current.CancellationToken);
            ToolResult judged = await openssl.RunAsync(
                ["ocsp", "-issuer", work.CaFile, "-serial", "0x" + Convert.ToHexString(work.Serial(1)), "-respin", response, "-CAfile", work.CaFile, "-no_nonce"], directory.Path);
            Assert.Contains("Response verify OK", judged.Error, StringComparison.Ordinal);
            Assert.Contains(": good", judged.Output, StringComparison.Ordinal);
        }

        // What nobody issued is read well when it is unauthorized, and not malformedRequest; some of the targets have a "//".
        int slashes = 0;
        for (int done = 0; done < Serials; done += RequestsPerConnection)
        {
            RawHttpConnection connection = await RawHttpConnection.ConnectAsync(url);
            for (int i = 0; i < RequestsPerConnection; i++)
            {
                byte[] request = work.Request(0);
                do
                {
                    RandomNumberGenerator.Fill(request.AsSpan(^15));
                }
                while (i == 0 && !GetTarget.Raw(request).Contains("//", StringComparison.Ordinal)); // one on each connection for certain
                string target = "/" + (i % 2 == 0 ? GetTarget.Raw(request) : GetTarget.Escaped(request));
                slashes += target.Contains("//", StringComparison.Ordinal) ? 1 : 0;
                RawHttpResponse answer = await AskAsync(async () =>
                {
                    await connection.SendAsync(RawHttp.Request(url, "GET", target));
                    RawHttpResponse response = await connection.ReadResponseAsync();
                    if (response.StatusCode != 200)
                    {
                        connection.Dispose(); // with an error the edge ends it
                        connection = await RawHttpConnection.ConnectAsync(url);
                    }

                    return response;
                });
                Assert.Equal(6, RawOcspResponse.Parse(answer.Body).Status);
            }

            connection.Dispose();
        }

        Assert.InRange(slashes, Serials / RequestsPerConnection, Serials);

        async Task<RawHttpResponse> GetAsync(string target)
        {
            return await AskAsync(() => RawHttp.SendAsync(url, RawHttp.Request(url, "GET", target, "Connection: close")));
        }
    }

    // An edge that saw two checks fail, as on a machine that gave the responder no processor for a second, says 503 until one succeeds.
    private static async Task<RawHttpResponse> AskAsync(Func<Task<RawHttpResponse>> ask)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(20));
        RawHttpResponse answer = await ask();
        while (answer.StatusCode == 503)
        {
            await timer.WaitForNextTickAsync(late.Token);
            answer = await ask();
        }

        Assert.Equal(200, answer.StatusCode);
        return answer;
    }

    [Fact]
    public async Task Cache_GivesWhatTheResponderLetsItKeep_AndNothingElse()
    {
        Assert.SkipWhen(ExternalTool.Find("nginx") is null, "This machine has no nginx.");
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, 2);
        Contestant responder = await Contestant.StandaloneAsync(work);
        await using ServerProcess host = responder.Server;
        (ServerProcess edge, Uri url) = await EdgeServer.StartAsync("nginx-cache.conf", directory.Path, responder.Url, responder.Admin!);
        await using ServerProcess server = edge;

        RawHttpResponse first = await GetAsync(work.Target(0));
        RawHttpResponse second = await GetAsync(work.Target(0));
        Assert.Equal(("MISS", "HIT"), (first.Header("X-Cache"), second.Header("X-Cache")));
        Assert.Equal(first.Body, second.Body);

        // By it a cache further down counts the age of what this one kept.
        Assert.Equal((first.Header("Date"), first.Header("ETag"), first.Header("Expires")), (second.Header("Date"), second.Header("ETag"), second.Header("Expires")));
        RawHttpResponse confirmed = await RawHttp.SendAsync(url, RawHttp.Request(url, "GET", work.Target(0), "Connection: close", "If-None-Match: " + first.Header("ETag")));
        Assert.Equal(304, confirmed.StatusCode);

        byte[] unissued = [.. work.Request(0)[..^1], 0];
        string target = "/" + GetTarget.Escaped(unissued);
        Assert.Equal(6, RawOcspResponse.Parse((await GetAsync(target)).Body).Status);
        Assert.NotEqual("HIT", (await GetAsync(target)).Header("X-Cache"));
        for (int i = 0; i < 2; i++)
        {
            RawHttpResponse posted = await RawHttp.SendAsync(url, RawHttp.Post(url, work.Request(1), "Content-Type: application/ocsp-request", "Connection: close"));
            Assert.True(work.IsAnswer(posted.Body, 1));
            Assert.NotEqual("HIT", posted.Header("X-Cache"));
        }

        Task<RawHttpResponse> GetAsync(string target) => RawHttp.SendAsync(url, RawHttp.Request(url, "GET", target, "Connection: close"));
    }
}
