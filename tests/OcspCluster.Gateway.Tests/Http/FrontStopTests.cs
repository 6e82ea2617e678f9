using System.Net.Sockets;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>The end of a listener with connections in every state.</summary>
public sealed class FrontStopTests
{
    [Fact]
    public async Task Stop_IdleConnectionsOfBothKinds_AreEndedAndNoThreadIsLeft()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        string port = $"OCSP {test.Uri.Port}/";
        List<RawHttpConnection> connections = [];
        for (int i = 0; i < 40; i++)
        {
            RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
            connections.Add(connection);
            await connection.SendAsync(i % 2 == 0 ? RawHttp.Post(test.Uri, FrontUnderTest.Request(i)) : "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
            await connection.ReadResponseAsync(toHead: i % 2 != 0);
        }

        Assert.True(!OcspListener.SupportsFront || CountThreads(port) > 0);
        await test.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));
        foreach (RawHttpConnection connection in connections)
        {
            Assert.Empty(await connection.ReadToEndAsync());
            connection.Dispose();
        }

        Assert.Equal(0, CountThreads(port));
        Assert.Equal(0, test.Listener.Connections);
        await Assert.ThrowsAnyAsync<SocketException>(() => RawHttpConnection.ConnectAsync(new Uri($"http://127.0.0.1:{port[5..^1]}")));
    }

    // A request whose status is looked for when the end comes has its answer, and hears that it was the last.
    [Fact]
    public async Task Stop_WhileAnAnswerIsMade_WaitsForIt()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(beforeStatus: async _ =>
        {
            asked.TrySetResult();
            await go.Task;
        });
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
        await connection.SendAsync(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Task stopping = test.StopAsync();
        using (RawHttpConnection? late = await TryConnectAsync(test))
        {
            Assert.False(stopping.IsCompleted);
        }

        go.SetResult();
        Assert.Equal(200, (await connection.ReadResponseAsync()).StatusCode);
        Assert.Empty(await connection.ReadToEndAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(30));
    }

    // Patience has an end: what is still being made, and a client that does not read, hold nobody up.
    [Fact]
    public async Task Stop_ThatMayNotWait_EndsAllAtOnce()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(beforeStatus: async cancellationToken =>
        {
            asked.TrySetResult();
            await never.Task.WaitAsync(cancellationToken);
        });
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
        await connection.SendAsync(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await test.StopAsync(new CancellationToken(canceled: true)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(await connection.ReadToEndAsync());
        Assert.Equal(0, CountThreads($"OCSP {test.Uri.Port}/"));
        never.SetResult();
    }

    private static async Task<RawHttpConnection?> TryConnectAsync(FrontUnderTest test)
    {
        try
        {
            return await RawHttpConnection.ConnectAsync(test.Uri);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static int CountThreads(string prefix)
    {
        if (!Directory.Exists("/proc/self/task"))
        {
            return 0;
        }

        int count = 0;
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                count += File.ReadAllText(Path.Combine(task, "comm")).StartsWith(prefix, StringComparison.Ordinal) ? 1 : 0;
            }
            catch (IOException)
            {
                // That thread has ended.
            }
        }

        return count;
    }
}
