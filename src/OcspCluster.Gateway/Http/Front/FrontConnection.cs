using System.Buffers;

namespace OcspCluster.Gateway;

/// <summary>What a connection of the front waits for.</summary>
internal enum FrontPhase
{
    /// <summary>There is no such connection.</summary>
    None,

    /// <summary>For the loop that it was given to.</summary>
    Given,

    /// <summary>For a request, or the rest of one.</summary>
    Reading,

    /// <summary>For an answer that was not in the cache.</summary>
    Asking,

    /// <summary>For a client that does not read.</summary>
    Writing,

    /// <summary>For a client that was answered for the last time, and sends still.</summary>
    Draining,
}

/// <summary>
/// What the front knows of the connection with one descriptor. It is used again when the descriptor is. Only the thread of its loop touches it, or before it has one, the thread that accepted it.
/// </summary>
internal sealed class FrontConnection
{
    private byte[]? _unread;
    private int _unreadLength;
    private byte[]? _unsent;
    private int _unsentStart;
    private int _unsentEnd;

    /// <summary>Its descriptor.</summary>
    public int Descriptor;

    /// <summary>Whose it is; null while it is not kept.</summary>
    public FrontLoop? Loop;

    /// <summary>What it waits for.</summary>
    public FrontPhase Phase;

    /// <summary>The second since when it waits: for a request, for the rest of one, for the client to read or to end.</summary>
    public int Since;

    /// <summary>Whether its loop watches it.</summary>
    public bool IsWatched;

    /// <summary>Whether it ends with what is to be sent.</summary>
    public bool Closes;

    /// <summary>Whether it waits for the rest of a request.</summary>
    public bool IsPart;

    /// <summary>The question that is asked for it.</summary>
    public FrontQuestion? Question;

    /// <summary>Octets that have come and were not answered.</summary>
    public ReadOnlySpan<byte> Unread => _unread.AsSpan(0, _unreadLength);

    /// <summary>Octets of answers that the client has not taken.</summary>
    public Span<byte> Unsent => _unsent.AsSpan(_unsentStart, _unsentEnd - _unsentStart);

    /// <summary>Keeps what has come for later.</summary>
    public void KeepUnread(ReadOnlySpan<byte> octets)
    {
        DropUnread();
        if (!octets.IsEmpty)
        {
            _unread = ArrayPool<byte>.Shared.Rent(octets.Length);
            _unreadLength = octets.Length;
            octets.CopyTo(_unread);
        }
    }

    /// <summary>Forgets what had come: it lies elsewhere.</summary>
    public void DropUnread()
    {
        if (_unread is not null)
        {
            ArrayPool<byte>.Shared.Return(_unread);
            _unread = null;
            _unreadLength = 0;
        }
    }

    /// <summary>Keeps what could not be sent.</summary>
    public void KeepUnsent(ReadOnlySpan<byte> octets)
    {
        _unsent = ArrayPool<byte>.Shared.Rent(octets.Length);
        _unsentStart = 0;
        _unsentEnd = octets.Length;
        octets.CopyTo(_unsent);
    }

    /// <summary>So many octets more were sent; whether that was the last.</summary>
    public bool HasSent(int octets)
    {
        _unsentStart += octets;
        if (_unsentStart < _unsentEnd)
        {
            return false;
        }

        DropUnsent();
        return true;
    }

    /// <summary>Forgets all of it.</summary>
    public void Clear()
    {
        DropUnread();
        DropUnsent();
        Phase = FrontPhase.None;
        IsWatched = false;
        Closes = false;
        IsPart = false;
        Question = null;
        Volatile.Write(ref Loop, null);
    }

    private void DropUnsent()
    {
        if (_unsent is not null)
        {
            ArrayPool<byte>.Shared.Return(_unsent);
            _unsent = null;
            _unsentStart = _unsentEnd = 0;
        }
    }
}

/// <summary>The connections by their descriptors, which the system gives the lowest numbers that are free. Thread-safe.</summary>
internal sealed class FrontConnections
{
    private const int PartBits = 6;
    private const int PartSize = 1 << PartBits;

    private readonly Lock _growing = new();
    private volatile FrontConnection[]?[] _parts = new FrontConnection[]?[16];

    /// <summary>The connection with a descriptor; made with its neighbours when it is the first of them.</summary>
    public FrontConnection this[int descriptor]
    {
        get
        {
            FrontConnection[]?[] parts = _parts;
            int part = descriptor >> PartBits;
            return (part < parts.Length && parts[part] is { } there ? there : MakePart(part))[descriptor & (PartSize - 1)];
        }
    }

    /// <summary>Copies those that a loop has.</summary>
    public void CopyTo(List<FrontConnection> connections, FrontLoop loop)
    {
        foreach (FrontConnection[]? part in _parts)
        {
            foreach (FrontConnection connection in part ?? [])
            {
                if (Volatile.Read(ref connection.Loop) == loop)
                {
                    connections.Add(connection);
                }
            }
        }
    }

    private FrontConnection[] MakePart(int part)
    {
        lock (_growing)
        {
            FrontConnection[]?[] parts = _parts;
            if (part < parts.Length && parts[part] is { } there)
            {
                return there;
            }

            FrontConnection[]?[] grown = new FrontConnection[]?[Math.Max(parts.Length, 2 * (part + 1))];
            parts.CopyTo(grown, 0);
            FrontConnection[] made = new FrontConnection[PartSize];
            for (int i = 0; i < PartSize; i++)
            {
                made[i] = new FrontConnection { Descriptor = (part << PartBits) + i };
            }

            grown[part] = made;
            _parts = grown;
            return made;
        }
    }
}
