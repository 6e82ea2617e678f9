namespace OcspCluster.Client;

/// <summary>Keeps answers in memory, the most recently used ones, up to a number of octets. Thread-safe.</summary>
public sealed class MemoryResponseStore : ResponseStore
{
    private const int EntryOverheadBytes = 400; // key, links, dictionary: roughly

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, StoredResponse Response)>> _entries = [];
    private readonly LinkedList<(string Key, StoredResponse Response)> _byUse = []; // the latest first
    private readonly int _capacityBytes;
    private int _bytes;

    /// <summary>An empty store.</summary>
    /// <param name="capacityBytes">How many octets it keeps. Default 16 MiB: some 16,000 OCSP responses; a CRL that is larger is not kept.</param>
    public MemoryResponseStore(int capacityBytes = 16 * 1024 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacityBytes);
        _capacityBytes = capacityBytes;
    }

    /// <summary>How many octets are kept.</summary>
    public int Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask<StoredResponse?> FindAsync(string key, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LinkedListNode<(string Key, StoredResponse Response)>? node))
            {
                return ValueTask.FromResult<StoredResponse?>(null);
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return ValueTask.FromResult<StoredResponse?>(node.Value.Response);
        }
    }

    /// <inheritdoc/>
    public override ValueTask SaveAsync(string key, StoredResponse response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(response);
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out LinkedListNode<(string Key, StoredResponse Response)>? old))
            {
                Remove(old);
            }

            if (SizeOf(response) > _capacityBytes)
            {
                return ValueTask.CompletedTask;
            }

            _entries.Add(key, _byUse.AddFirst((key, response)));
            _bytes += SizeOf(response);
            while (_bytes > _capacityBytes)
            {
                Remove(_byUse.Last!);
            }
        }

        return ValueTask.CompletedTask;
    }

    private void Remove(LinkedListNode<(string Key, StoredResponse Response)> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= SizeOf(node.Value.Response);
    }

    private static int SizeOf(StoredResponse response) => response.Body.Length + EntryOverheadBytes;
}
