using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>Alone: what others allocate would be counted.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

/// <summary>A cached answer allocates nothing, on a connection that is kept and on one of its own. Times are for ./bench.sh, allocations are exact and stand here.</summary>
[Collection(AloneCollection.Name)]
public sealed class FrontAllocationTests
{
    private const int Requests = 200;

    [Fact]
    public async Task Hit_OnAConnectionThatIsKept_AllocatesNothing()
    {
        Assert.SkipUnless(OcspListener.SupportsFront, "This machine has no front.");
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        await test.AskAsync();
        byte[] request = RawHttp.Post(test.Uri, FrontUnderTest.Request(0));
        byte[] answer = new byte[16_384];
        int socket = Open(AddressOf(test));
        AssertNothing(() => Ask(socket, request, answer));
        _ = SystemCalls.Close(socket);
    }

    [Fact]
    public async Task Hit_OnAConnectionOfItsOwn_AllocatesNothing()
    {
        Assert.SkipUnless(OcspListener.SupportsFront, "This machine has no front.");
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        await test.AskAsync();
        byte[] request = Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(FrontUnderTest.Request(0))} HTTP/1.0\r\n\r\n");
        byte[] answer = new byte[16_384];
        byte[] address = AddressOf(test);
        AssertNothing(() =>
        {
            int socket = Open(address);
            int length = Ask(socket, request, answer);
            length += (int)SystemCalls.Receive(socket, ref answer[0], answer.Length, 0); // its end
            _ = SystemCalls.Close(socket);
            return length;
        });
    }

    // struct sockaddr_in: AF_INET as this machine writes numbers, port and address as the network does.
    private static byte[] AddressOf(FrontUnderTest test)
    {
        byte[] address = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(address, 2);
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)test.Uri.Port);
        address[4] = 127;
        address[7] = 1;
        return address;
    }

    // The client is made of calls to the system: what a Socket allocates could not be told from what the listener does.
    private static int Open(byte[] address)
    {
        int socket = OpenSocket(2, 1, 0);
        return Connect(socket, ref address[0], address.Length) == 0 ? socket : throw new IOException("It does not connect.");
    }

    private static int Ask(int socket, byte[] request, byte[] answer)
    {
        _ = SystemCalls.Send(socket, ref request[0], request.Length, 0);
        return (int)SystemCalls.Receive(socket, ref answer[0], answer.Length, 0);
    }

    // The least of several rounds: the runtime's and the test runner's threads allocate now and then.
    private static void AssertNothing(Func<int> ask)
    {
        int length = ask();
        Assert.True(length > 500, "That is no answer.");
        long least = long.MaxValue;
        int same = 0;
        int rounds = 0;
        for (; rounds < 100 && least > 0; rounds++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Requests; i++)
            {
                same += ask() == length ? 1 : 0;
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(rounds * Requests, same);
        Assert.Equal(0, least);
    }

    [DllImport("libc", EntryPoint = "socket", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "connect", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Connect(int socket, ref byte address, int length);
}
