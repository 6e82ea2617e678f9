using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OcspCluster.Gateway;

/// <summary>What a descriptor is watched for, and what became of it (epoll_ctl(2)).</summary>
[Flags]
internal enum PollEvents : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerEnded = 0x2000,

    /// <summary>Of all that wait for it, few are woken.</summary>
    Exclusive = 1u << 28,

    /// <summary>Told once when it changes, not as long as it is so.</summary>
    Edge = 1u << 31,
}

/// <summary>An epoll instance and its events. For one thread, but descriptors may be added by any.</summary>
internal sealed class EventPoll : IDisposable
{
    private const int MostEvents = 256;
    private const int Add = 1;
    private const int Remove = 2;
    private const int Modify = 3;

    // struct epoll_event is packed on x64 and nowhere else.
    private static readonly int s_dataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int s_size = s_dataOffset + 8;

    private readonly byte[] _events = GC.AllocateArray<byte>(MostEvents * s_size, pinned: true);
    private readonly int _poll;
    private readonly SafeFileHandle _wake;
    private readonly int _wakeDescriptor;

    /// <summary>Makes one that watches nothing.</summary>
    /// <exception cref="IOException">The process or the machine has no descriptors left.</exception>
    public EventPoll()
    {
        _poll = SystemCalls.EpollCreate(0x80000);
        if (_poll < 0)
        {
            throw Failure("epoll_create1");
        }

        _wakeDescriptor = SystemCalls.EventDescriptor(0, SystemCalls.NonBlockingAndNotInherited);
        _wake = new SafeFileHandle(_wakeDescriptor, ownsHandle: true);
        if (_wake.IsInvalid || !TryAdd(_wakeDescriptor, PollEvents.Readable | PollEvents.Edge))
        {
            IOException failure = Failure("eventfd");
            Dispose();
            throw failure;
        }
    }

    /// <summary>The descriptor whose event says that the thread was woken.</summary>
    public int WakeDescriptor => _wakeDescriptor;

    /// <summary>Watches a descriptor; false when the system has no room for it.</summary>
    public bool TryAdd(int descriptor, PollEvents events) => Control(Add, descriptor, events);

    /// <summary>Watches it for something else.</summary>
    public bool TryModify(int descriptor, PollEvents events) => Control(Modify, descriptor, events);

    /// <summary>Watches it no more.</summary>
    public void TryRemove(int descriptor) => Control(Remove, descriptor, PollEvents.None);

    /// <summary>Waits for events, and says how many there are.</summary>
    public int Wait(int milliseconds) => Math.Max(0, SystemCalls.EpollWait(_poll, ref _events[0], MostEvents, milliseconds));

    /// <summary>One of the events that there are.</summary>
    public PollEvents Read(int index, out int descriptor)
    {
        ReadOnlySpan<byte> @event = _events.AsSpan(index * s_size, s_size);
        descriptor = MemoryMarshal.Read<int>(@event[s_dataOffset..]);
        return MemoryMarshal.Read<PollEvents>(@event);
    }

    /// <summary>Ends the wait of the thread. From any thread, and at any time: nothing is woken after the end.</summary>
    public void Wake()
    {
        bool isOurs = false;
        try
        {
            _wake.DangerousAddRef(ref isOurs);
            ulong one = 1;
            _ = SystemCalls.Write(_wakeDescriptor, ref one, sizeof(ulong)); // fails only where it is awake anyway
        }
        catch (ObjectDisposedException)
        {
            // What was asked of the pool may come when all has ended.
        }
        finally
        {
            if (isOurs)
            {
                _wake.DangerousRelease();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _wake.Dispose();
        _ = SystemCalls.Close(_poll);
    }

    private static IOException Failure(string call) => new($"{call}: {new Win32Exception(SystemCalls.Error).Message}");

    private bool Control(int operation, int descriptor, PollEvents events)
    {
        Span<byte> @event = stackalloc byte[16];
        MemoryMarshal.Write(@event, (uint)events);
        MemoryMarshal.Write(@event[s_dataOffset..], (long)descriptor);
        return SystemCalls.EpollControl(_poll, operation, descriptor, ref @event[0]) == 0;
    }
}
