using System.Globalization;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// Redis has no snapshots to read from. But a journal only grows, so "as of the moment of opening" is: up to the position that
// the head had then. A status that a later entry made is taken back to the last one that is not later, by its history.

/// <summary>
/// Reads a store in Redis for an audit or a proof, as of the moment that its issuers' heads were read: at
/// <see cref="OpenAsync"/>, or with the first question. Writers go on meanwhile.
/// </summary>
public sealed class RedisAuditStore : IAuditStore
{
    private const int LeavesAtOnce = 16;

    private readonly RedisConnection _connection;
    private readonly RedisStoreReader _reader;
    private SortedDictionary<string, RedisHead>? _heads;

    private RedisAuditStore(RedisConnection connection)
    {
        _connection = connection;
        _reader = new RedisStoreReader(connection);
    }

    /// <summary>For a store as it will be when the first question is asked.</summary>
    /// <param name="connection">The connection; it stays open.</param>
    public static RedisAuditStore Open(RedisConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new RedisAuditStore(connection);
    }

    /// <summary>For a store as it is now.</summary>
    /// <param name="connection">The connection; it stays open.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RevocationStoreException">It cannot be read, or is another version's.</exception>
    public static async Task<RedisAuditStore> OpenAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        RedisAuditStore store = Open(connection);
        await store.ReadHeadsAsync(cancellationToken).ConfigureAwait(false);
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<IssuerId>> ListIssuersAsync(CancellationToken cancellationToken) =>
        [.. (await ReadHeadsAsync(cancellationToken).ConfigureAwait(false)).Keys.Select(name => new IssuerId(name))];

    /// <inheritdoc/>
    public async ValueTask<JournalHead> GetHeadAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisHead head = await FindHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
        return new JournalHead(head.Position, head.Hash);
    }

    /// <inheritdoc/>
    public async ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        (await FindHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Counts;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChainedEntry> ReadChainAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        long through = (await FindHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Position;
        List<ChainedEntry> page;
        do
        {
            page = await _reader.ReadJournalAsync(issuer, after, through, RedisStoreReader.JournalPage, cancellationToken).ConfigureAwait(false);
            foreach (ChainedEntry chained in page)
            {
                yield return chained;
                after = chained.Entry.Position;
            }
        }
        while (page.Count == RedisStoreReader.JournalPage);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> ReadHistoriesAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using HistorySorter sorter = new(issuer);
        await foreach (ChainedEntry chained in ReadChainAsync(issuer, 0, cancellationToken).ConfigureAwait(false))
        {
            await sorter.AddAsync(chained, cancellationToken).ConfigureAwait(false);
        }

        await foreach (JournalEntry entry in sorter.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return entry;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredStatus> ReadStatusesAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long through = (await FindHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Position;
        if (through == 0)
        {
            yield break;
        }

        byte[]? from = [];
        while (from is not null)
        {
            RedisLeaves page = await _reader.ReadLeavesAsync(issuer, "s", from, LeavesAtOnce, cancellationToken).ConfigureAwait(false);
            byte[]?[] found = await _reader.FindValuesAsync(issuer, "s", [.. page.Certificates.Select(certificate => (RedisValue)certificate.Serial.ContentMemory)], cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < found.Length; i++)
            {
                (SerialNumber serial, byte[]? value) = page.Certificates[i];
                CertificateStatus? status = value is null ? null : RedisRecords.ReadStatus(issuer, serial, value);
                if (status?.Position > through)
                {
                    status = await FindEarlierAsync(issuer, serial, through, cancellationToken).ConfigureAwait(false);
                    if (status is null)
                    {
                        continue; // issued since
                    }
                }

                yield return new StoredStatus(serial, status, IsFindable: found[i] is not null);
            }

            from = page.Next;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Digest>> ReadTreeAsync(IssuerId issuer, int level, long first, int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        long through = (await FindHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Position;
        long end = Math.Min(first + count, through >> level);
        if (level > 0)
        {
            return first >= end ? [] : await _reader.ReadTreeAsync(issuer, level, first, end - first, cancellationToken).ConfigureAwait(false);
        }

        List<Digest> hashes = [];
        while (first + hashes.Count < end)
        {
            List<ChainedEntry> page = await _reader.ReadJournalAsync(issuer, first + hashes.Count, end, RedisStoreReader.JournalPage, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
            {
                break;
            }

            hashes.AddRange(page.Select(chained => MerkleHash.Leaf(chained.Hash)));
        }

        return hashes;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> CheckStructureAsync(CancellationToken cancellationToken)
    {
        List<string> problems = [];
        foreach ((string name, RedisHead head) in await ReadHeadsAsync(cancellationToken).ConfigureAwait(false))
        {
            IssuerId issuer = new(name);
            await CheckHeadAsync(problems, issuer, cancellationToken).ConfigureAwait(false);
            await CheckEventsAsync(problems, issuer, cancellationToken).ConfigureAwait(false);
            await CheckListAsync(problems, issuer, "r", CertificateState.Revoked, head, cancellationToken).ConfigureAwait(false);
            await CheckListAsync(problems, issuer, "h", CertificateState.Held, head, cancellationToken).ConfigureAwait(false);
        }

        return problems;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // One script: what it compares is of one moment.
    private async Task CheckHeadAsync(List<string> problems, IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisResult[] found = await _reader.EvaluateAsync(
            issuer, RedisScripts.ReadStructure, [_reader.Keys.Head(issuer), _reader.Keys.Of(issuer, "journal")], [_reader.Tag(issuer)], "structure", cancellationToken).ConfigureAwait(false);
        long position = (long)found[0];
        if ((long)found[1] != position || (string?)found[2] != string.Create(CultureInfo.InvariantCulture, $"{position}-0"))
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"The head of issuer '{issuer}' says {position} entries, and its journal has {(long)found[1]} up to {(string?)found[2]}."));
        }

        for (int i = 3; i < found.Length; i++)
        {
            int level = (i - 2) * MerkleTree.StoredLevels;
            if ((long)found[i] != (position >> level) * Digest.SizeInBytes)
            {
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"Level {level} of the tree of issuer '{issuer}' has {(long)found[i]} octets, and {position} entries make {(position >> level) * Digest.SizeInBytes}."));
            }
        }
    }

    private async Task CheckEventsAsync(List<string> problems, IssuerId issuer, CancellationToken cancellationToken)
    {
        List<JournalEntry> page = new(RedisStoreReader.JournalPage);
        await foreach (ChainedEntry chained in ReadChainAsync(issuer, 0, cancellationToken).ConfigureAwait(false))
        {
            page.Add(chained.Entry);
            if (page.Count == RedisStoreReader.JournalPage)
            {
                await CheckPageAsync().ConfigureAwait(false);
            }
        }

        await CheckPageAsync().ConfigureAwait(false);

        async Task CheckPageAsync()
        {
            byte[]?[] positions = await _reader.FindValuesAsync(issuer, "e", [.. page.Select(entry => (RedisValue)RedisRecords.EventKey(entry.Event.Id))], cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < positions.Length && problems.Count < 20; i++)
            {
                if ((long?)(RedisValue)positions[i] != page[i].Position)
                {
                    problems.Add($"A look-up of the event of journal entry {page[i].Position} of issuer '{issuer}' does not find it: the event could be applied twice.");
                }
            }

            page.Clear();
        }
    }

    // Every one that is listed has the state, and there are as many as are counted, where nothing was appended meanwhile.
    private async Task CheckListAsync(List<string> problems, IssuerId issuer, string tree, CertificateState state, RedisHead head, CancellationToken cancellationToken)
    {
        long listed = 0;
        for (byte[]? from = []; from is not null;)
        {
            RedisLeaves page = await _reader.ReadLeavesAsync(issuer, tree, from, LeavesAtOnce, cancellationToken).ConfigureAwait(false);
            foreach ((SerialNumber serial, byte[]? value) in page.Certificates)
            {
                listed++;
                if (problems.Count < 20 && (value is null || RedisRecords.ReadStatus(issuer, serial, value)?.State != state))
                {
                    problems.Add($"Serial {serial} of issuer '{issuer}' is listed as {state}, and its status is another.");
                }
            }

            from = page.Next;
        }

        long counted = state == CertificateState.Revoked ? head.Counts.Revoked : head.Counts.Held;
        if (listed != counted && await _reader.ReadHeadAsync(issuer, cancellationToken).ConfigureAwait(false) == head)
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{listed} certificates of issuer '{issuer}' are listed as {state}, and {counted} are counted."));
        }
    }

    private async Task<CertificateStatus?> FindEarlierAsync(IssuerId issuer, SerialNumber serial, long through, CancellationToken cancellationToken)
    {
        List<JournalEntry> history = await _reader.ReadHistoryAsync(issuer, serial, int.MaxValue, cancellationToken).ConfigureAwait(false);
        return history.Find(entry => entry.Position <= through)?.Status;
    }

    private async ValueTask<RedisHead> FindHeadAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        (await ReadHeadsAsync(cancellationToken).ConfigureAwait(false)).GetValueOrDefault(issuer.ToString());

    private async ValueTask<SortedDictionary<string, RedisHead>> ReadHeadsAsync(CancellationToken cancellationToken)
    {
        if (_heads is not null)
        {
            return _heads;
        }

        await RedisSchema.Current.CheckIsCurrentAsync(_connection, cancellationToken).ConfigureAwait(false);
        RedisValue[] names = await _connection.RunAsync(
            database => database.SetMembersAsync(_connection.Keys.Issuers, CommandFlags.DemandMaster), "The issuers could not be read", cancellationToken).ConfigureAwait(false);
        SortedDictionary<string, RedisHead> heads = new(StringComparer.Ordinal);
        foreach (RedisValue name in names)
        {
            string issuer = IssuerId.IsValid(name) ? name.ToString() : throw RedisStoreReader.Damaged("the set of the issuers");
            RedisHead head = await _reader.ReadHeadAsync(new IssuerId(issuer), cancellationToken).ConfigureAwait(false);
            if (head.Position > 0)
            {
                heads.Add(issuer, head);
            }
        }

        return _heads = heads;
    }
}
