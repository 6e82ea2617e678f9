using System.Diagnostics;
using System.Globalization;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>A process that may open few files, or nothing more: others wait or are ended, an operator is told what to do, and it goes on by itself.</summary>
public sealed class DescriptorLimitTests : IDisposable
{
    private static readonly byte[] s_message = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray();

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    // The last descriptors are not for connections: the process needs some to go on at all.
    [Fact]
    public async Task Connections_AsManyAsThereMayBeFiles_LeaveSomeToTheProcess()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This machine has no such limit.");
        await using HostProcess host = await HostProcess.StartUnderAsync(["sh", "-c", "ulimit -n 500; exec \"$0\" \"$@\""], _directory.Path);
        List<RawHttpConnection> connections = [];
        int answered = 0;
        try
        {
            for (int i = 0; i < 600; i++)
            {
                RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
                connections.Add(connection);
                answered += await AnswersAsync(connection) ? 1 : 0;
            }
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        Assert.Equal(250, answered);
        using HttpClient client = new();
        Assert.True((await client.GetAsync(new Uri(host.AdminUri, "health/live"))).IsSuccessStatusCode);
        string error = await EndAsync(host);
        Assert.Contains("leaves room for 250 connections", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_WithoutADescriptor_WaitsAndIsAnsweredLater()
    {
        ExternalTool? prlimit = ExternalTool.Find("prlimit");
        Assert.SkipWhen(prlimit is null, "This machine has no prlimit.");
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        using (RawHttpConnection first = await RawHttpConnection.ConnectAsync(host.OcspUri))
        {
            Assert.True(await AnswersAsync(first)); // what Kestrel needs is loaded
        }

        await LimitAsync(20);
        using RawHttpConnection waiting = await RawHttpConnection.ConnectAsync(host.OcspUri, TimeSpan.FromSeconds(2));
        using Process process = Process.GetProcessById(host.ProcessId);
        TimeSpan before = process.TotalProcessorTime;
        await waiting.SendAsync(s_message);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.ReadResponseAsync(toHead: true)); // two seconds, in which nothing can be accepted
        process.Refresh();
        Assert.InRange(process.TotalProcessorTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(1)); // and nobody goes round

        await LimitAsync(1000);
        using (RawHttpConnection late = await RawHttpConnection.ConnectAsync(host.OcspUri))
        {
            Assert.True(await AnswersAsync(late));
        }

        string error = await EndAsync(host);
        string line = Assert.Single(error.Split('\n'), line => line.Contains("cannot be accepted", StringComparison.Ordinal));
        Assert.Contains("Too many open files", line, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", line, StringComparison.Ordinal);

        async Task LimitAsync(int files) =>
            Assert.Equal(0, (await prlimit.RunAsync([string.Create(CultureInfo.InvariantCulture, $"--pid={host.ProcessId}"), string.Create(CultureInfo.InvariantCulture, $"--nofile={files}:")])).ExitCode);
    }

    private static async Task<bool> AnswersAsync(RawHttpConnection connection)
    {
        try
        {
            await connection.SendAsync(s_message);
            return (await connection.ReadResponseAsync(toHead: true)).StatusCode == 200;
        }
        catch (IOException)
        {
            return false; // ended at once
        }
    }

    private static async Task<string> EndAsync(HostProcess host)
    {
        host.Terminate();
        (int exitCode, _, string error) = await host.WaitForExitAsync();
        Assert.Equal(0, exitCode);
        return error;
    }
}
