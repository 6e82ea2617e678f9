using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>Ports for silos, which must know their own before they start. Below those that the system hands out by itself, so that no connection takes one meanwhile.</summary>
internal static class Ports
{
    private const int First = 12_000;
    private const int Last = 32_000;

    private static readonly Lock s_gate = new();
    private static int s_next = First + (Environment.ProcessId * 7 % (Last - First));

    /// <summary>A free port, as text.</summary>
    public static string Next()
    {
        lock (s_gate)
        {
            while (true)
            {
                s_next = s_next >= Last ? First : s_next + 1;
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    socket.Bind(new IPEndPoint(IPAddress.Loopback, s_next));
                    return s_next.ToString(CultureInfo.InvariantCulture);
                }
                catch (SocketException)
                {
                    // Taken.
                }
            }
        }
    }
}
