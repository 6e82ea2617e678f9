using System.Runtime.InteropServices;

namespace OcspCluster.Gateway;

/// <summary>The calls to Linux that the front makes, as they are, and the numbers of x64 and arm64.</summary>
internal static class SystemCalls
{
    /// <summary>Ask for what is there, and do not wait (accept4, SOCK_NONBLOCK; and SOCK_CLOEXEC).</summary>
    public const int NonBlockingAndNotInherited = 0x800 | 0x80000;

    /// <summary>A connection that the client has closed is an error and no signal (MSG_NOSIGNAL).</summary>
    public const int NoSignal = 0x4000;

    /// <summary>More follows: keep it for the segment that comes with it (MSG_MORE).</summary>
    public const int More = 0x8000;

    /// <summary>Nothing more is sent (SHUT_WR).</summary>
    public const int ShutWrite = 1;

    public const int Eintr = 4;
    public const int Eagain = 11;
    public const int Enomem = 12;
    public const int Enfile = 23;
    public const int Emfile = 24;
    public const int Enobufs = 105;

    /// <summary>Whether the numbers here are this machine's.</summary>
    public static bool AreKnown => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>The error of the last call on this thread.</summary>
    public static int Error => Marshal.GetLastPInvokeError();

    /// <summary>How many files and sockets the process may have open (RLIMIT_NOFILE).</summary>
    public static long OpenFiles
    {
        get
        {
            Span<ulong> limits = stackalloc ulong[2]; // in force, and what it may be raised to, which the runtime does at its start
            return GetLimit(7, ref limits[0]) == 0 ? (long)Math.Min(limits[0], long.MaxValue) : long.MaxValue;
        }
    }

    /// <summary>
    /// Has the calling thread scheduled in shorter slices (sched_setattr(2), Linux 6.12 and later): it gets no more of a processor than others, but sooner what it gets. Elsewhere nothing happens.
    /// </summary>
    public static void TakeShortSlices(TimeSpan slice)
    {
        const int Size = 48; // SCHED_ATTR_SIZE_VER0: size, policy, flags, nice, priority, runtime, deadline, period
        bool isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        Span<byte> attributes = stackalloc byte[Size];
        if (SystemCall(isX64 ? 315 : 275, 0, ref attributes[0], Size, 0) == 0 && MemoryMarshal.Read<int>(attributes[4..]) == 0)
        {
            MemoryMarshal.Write(attributes[24..], (ulong)slice.TotalNanoseconds);
            _ = SystemCall(isX64 ? 314 : 274, 0, ref attributes[0], 0, 0);
        }
    }

    [DllImport("libc", EntryPoint = "accept4", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Accept(int listener, nint address, nint length, int flags);

    [DllImport("libc", EntryPoint = "recv", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint Receive(int socket, ref byte buffer, nint length, int flags);

    [DllImport("libc", EntryPoint = "send", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint Send(int socket, ref byte buffer, nint length, int flags);

    [DllImport("libc", EntryPoint = "shutdown", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Shutdown(int socket, int how);

    [DllImport("libc", EntryPoint = "close", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "epoll_create1", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int EpollCreate(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int EpollControl(int poll, int operation, int descriptor, ref byte @event);

    [DllImport("libc", EntryPoint = "epoll_wait", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int EpollWait(int poll, ref byte events, int most, int milliseconds);

    [DllImport("libc", EntryPoint = "eventfd", ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int EventDescriptor(uint initial, int flags);

    [DllImport("libc", EntryPoint = "write", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint Write(int descriptor, ref ulong value, nint length);

    // sched_getattr (pid, attributes, size, flags) and sched_setattr (pid, attributes, flags): the older libraries have no functions for them.
    [DllImport("libc", EntryPoint = "syscall", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SystemCall(nint number, nint thread, ref byte attributes, nint third, nint fourth);

    [DllImport("libc", EntryPoint = "getrlimit", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, ref ulong limits);
}
