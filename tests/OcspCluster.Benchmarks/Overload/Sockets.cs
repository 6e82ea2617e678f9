using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace OcspCluster.Benchmarks.Overload;

/// <summary>Linux's own sockets and epoll: a generator of load must cost less than who is measured, and must not wait for a pool of threads.</summary>
internal static class Sockets
{
    private const int InternetFamily = 2;
    private const int StreamNonBlocking = 1 | 0x800;
    private const int Tcp = 6;
    private const int NoDelay = 1;
    private const int NoSignal = 0x4000;
    private const int Add = 1;
    private const int Modify = 3;
    private const int Again = 11;
    private const int InProgress = 115;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int s_eventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    public const uint Readable = 1;
    public const uint Writable = 4;

    public static int CreatePoll() => Checked(NativeMethods.epoll_create1(0));

    /// <summary>A socket on its way to a loopback port; -1 when it cannot be opened at once.</summary>
    /// <param name="port">The port.</param>
    /// <param name="isPending">Whether the connection is not made yet.</param>
    public static int Connect(int port, out bool isPending)
    {
        isPending = false;
        int socket = NativeMethods.socket(InternetFamily, StreamNonBlocking, 0);
        if (socket < 0)
        {
            return -1;
        }

        int on = 1;
        _ = NativeMethods.setsockopt(socket, Tcp, NoDelay, ref on, sizeof(int));
        byte[] address = new byte[16];
        address[0] = InternetFamily;
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)port);
        address[4] = 127;
        address[7] = 1;
        if (NativeMethods.connect(socket, address, address.Length) == 0)
        {
            return socket;
        }

        isPending = Marshal.GetLastPInvokeError() == InProgress;
        if (isPending)
        {
            return socket;
        }

        Close(socket);
        return -1;
    }

    public static void Watch(int poll, int socket, uint what, int number, bool isNew)
    {
        byte[] one = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(one, what);
        BinaryPrimitives.WriteInt32LittleEndian(one.AsSpan(s_eventBytes - 8), number);
        Checked(NativeMethods.epoll_ctl(poll, isNew ? Add : Modify, socket, one));
    }

    /// <summary>Waits until something has happened, or so many ticks of <see cref="Stopwatch"/> have passed.</summary>
    public static void Wait(int poll, long ticks)
    {
        if (ticks <= 0)
        {
            return;
        }

        byte[] file = new byte[8]; // struct pollfd: fd, events, revents
        BinaryPrimitives.WriteInt32LittleEndian(file, poll);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(4), (short)Readable);
        long[] time = [ticks / Stopwatch.Frequency, ticks % Stopwatch.Frequency * 1_000_000_000 / Stopwatch.Frequency];
        _ = NativeMethods.ppoll(file, 1, time, 0);
    }

    /// <summary>What has happened since, without waiting.</summary>
    /// <returns>How many.</returns>
    public static int Poll(int poll, byte[] events) => Math.Max(0, NativeMethods.epoll_wait(poll, events, events.Length / s_eventBytes, 0));

    /// <summary>The number that one of them was watched under.</summary>
    public static int NumberOf(byte[] events, int index) => BinaryPrimitives.ReadInt32LittleEndian(events.AsSpan(((index + 1) * s_eventBytes) - 8));

    public static bool Send(int socket, byte[] octets, int length) => NativeMethods.send(socket, octets, length, NoSignal) == length;

    /// <returns>Octets; 0 at the end; -1 when nothing is there; -2 when the connection is broken.</returns>
    public static int Receive(int socket, byte[] buffer, int start)
    {
        nint read = NativeMethods.recv(socket, ref buffer[start], buffer.Length - start, 0);
        return read >= 0 ? (int)read : Marshal.GetLastPInvokeError() == Again ? -1 : -2;
    }

    public static void Close(int socket) => _ = NativeMethods.close(socket);

    /// <summary>Keeps the calling thread on one processor.</summary>
    public static void Pin(int processor)
    {
        byte[] mask = new byte[128];
        mask[processor / 8] = (byte)(1 << (processor % 8));
        Checked(NativeMethods.sched_setaffinity(0, mask.Length, mask));
    }

    /// <summary>Has the calling thread come before all others where that is allowed (setpriority(2)): a relying party is on another machine, and waits for nobody's processor here.</summary>
    public static void TakePrecedence() => _ = NativeMethods.setpriority(0, 0, -20); // Linux takes the calling thread, not the process

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Style", "IDE1006", Justification = "The names are libc's.")]
    private static class NativeMethods
    {
        [DllImport("libc", SetLastError = true)]
        public static extern int epoll_create1(int flags);

        [DllImport("libc", SetLastError = true)]
        public static extern int epoll_ctl(int poll, int operation, int file, byte[] what);

        [DllImport("libc", SetLastError = true)]
        public static extern int epoll_wait(int poll, byte[] events, int count, int milliseconds);

        [DllImport("libc", SetLastError = true)]
        public static extern int ppoll(byte[] files, nint count, long[] time, nint mask);

        [DllImport("libc", SetLastError = true)]
        public static extern int socket(int family, int type, int protocol);

        [DllImport("libc", SetLastError = true)]
        public static extern int setsockopt(int socket, int level, int option, ref int value, int length);

        [DllImport("libc", SetLastError = true)]
        public static extern int connect(int socket, byte[] address, int length);

        [DllImport("libc", SetLastError = true)]
        public static extern nint send(int socket, byte[] octets, nint length, int flags);

        [DllImport("libc", SetLastError = true)]
        public static extern nint recv(int socket, ref byte octets, nint length, int flags);

        [DllImport("libc", SetLastError = true)]
        public static extern int close(int file);

        [DllImport("libc", SetLastError = true)]
        public static extern int setpriority(int which, int who, int value);

        [DllImport("libc", SetLastError = true)]
        public static extern int sched_setaffinity(int thread, nint length, byte[] mask);
    }
}
