using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace OcspCluster.Gateway;

// A key has 256 random bits, so nobody is going to guess one; what is bounded here is the work and the log of those who try. Whoever presents a valid key is let in
// however many have failed from the same address: behind one address there may be many. Only attempts that present something wrong count.

/// <summary>How often somebody failed to authenticate, by remote address, for a minute and for so many addresses at most. Thread-safe.</summary>
/// <param name="perMinute">The failures that one address has in a minute before it is told to wait.</param>
/// <param name="capacity">The addresses that are remembered; when there are more, the one whose minute began first is forgotten.</param>
/// <param name="clock">The clock.</param>
internal sealed class FailedAttempts(int perMinute, int capacity, TimeProvider clock)
{
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly Dictionary<UInt128, (int Count, long BeganAt)> _failures = [];
    private readonly Queue<(UInt128 Source, long BeganAt)> _order = new();
    private readonly Lock _lock = new();

    /// <summary>How many addresses are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                Forget(clock.GetTimestamp());
                return _failures.Count;
            }
        }
    }

    /// <summary>Counts a failure.</summary>
    /// <returns>How long to wait, when there were too many; else null.</returns>
    public TimeSpan? Add(IPAddress? address)
    {
        UInt128 source = SourceOf(address);
        long now = clock.GetTimestamp();
        lock (_lock)
        {
            Forget(now);
            if (!_failures.TryGetValue(source, out (int Count, long BeganAt) failures))
            {
                if (_failures.Count == capacity)
                {
                    _failures.Remove(_order.Dequeue().Source);
                }

                failures = (0, now);
                _order.Enqueue((source, now));
            }

            _failures[source] = (failures.Count + 1, failures.BeganAt);
            return failures.Count >= perMinute ? s_window - clock.GetElapsedTime(failures.BeganAt, now) : null;
        }
    }

    private void Forget(long now)
    {
        while (_order.TryPeek(out (UInt128 Source, long BeganAt) oldest) && clock.GetElapsedTime(oldest.BeganAt, now) >= s_window)
        {
            _failures.Remove(_order.Dequeue().Source);
        }
    }

    // An IPv6 subscriber has a /64 and as many addresses in it as they like.
    private static UInt128 SourceOf(IPAddress? address)
    {
        if (address is null)
        {
            return 0;
        }

        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        plain.TryWriteBytes(octets, out _);
        if (plain.AddressFamily == AddressFamily.InterNetworkV6)
        {
            octets[8..].Clear();
            octets[15] = 1; // apart from the IPv4 addresses
        }

        return BinaryPrimitives.ReadUInt128BigEndian(octets);
    }
}
