using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace OcspCluster.Silo.Tests.History;

/// <summary>
/// A port here that leads to one on the loopback address of a network namespace: the admin listener speaks http there and nowhere else. A socket belongs to the namespace of the thread that made it,
/// so a thread that goes there makes one for each connection.
/// </summary>
internal sealed class NamespaceRelay : IAsyncDisposable
{
    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET

    private readonly string _namespace;
    private readonly int _port;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    /// <summary>Leads to a port of a namespace.</summary>
    public NamespaceRelay(string name, int port)
    {
        (_namespace, _port) = (name, port);
        _listener.Start();
        Uri = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"));
        _accepting = AcceptAsync();
    }

    /// <summary>Where it is.</summary>
    public Uri Uri { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                Socket accepted = await _listener.AcceptSocketAsync(_stop.Token);
                connections.RemoveAll(connection => connection.IsCompleted);
                connections.Add(RelayAsync(accepted));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task RelayAsync(Socket accepted)
    {
        using NetworkStream here = new(accepted, ownsSocket: true);
        try
        {
            Socket made = await MakeSocketAsync();
            using NetworkStream there = await ConnectAsync(made);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(here.CopyToAsync(there, either.Token), there.CopyToAsync(here, either.Token));
            await either.CancelAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Refused or ended there: it ends here.
        }
    }

    private async Task<NetworkStream> ConnectAsync(Socket made)
    {
        try
        {
            made.NoDelay = true;
            await made.ConnectAsync(IPAddress.Loopback, _port, _stop.Token);
            return new NetworkStream(made, ownsSocket: true);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    private Task<Socket> MakeSocketAsync()
    {
        TaskCompletionSource<Socket> made = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                int space = NativeMethods.Open("/run/netns/" + _namespace, 0); // a FileStream is for regular files
                if (space < 0 || NativeMethods.SetNamespace(space, NetworkNamespace) != 0)
                {
                    throw new IOException($"{_namespace}: {Marshal.GetLastPInvokeErrorMessage()}");
                }

                _ = NativeMethods.Close(space);
                made.SetResult(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
            {
                made.SetException(e);
            }
        });
        thread.Start(); // and it ends there: no other work is done in that namespace
        return made.Task;
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open(string path, int flags);

        [DllImport("libc", EntryPoint = "close")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);

        [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int SetNamespace(int descriptor, int kind);
    }
}
