using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// How no append gets past a server that was not looked at
// =======================================================
//
// A check before an append says nothing of the server that carries the append out: between the two, Redis may have been
// restarted with another configuration, or a Sentinel may have promoted a replica. So the append script, and the one that moves
// a cursor, is run by its digest alone (EVALSHA), and it is loaded (SCRIPT LOAD) only into servers whose settings were just read and found good. A server
// keeps its scripts in memory only and does not hand them to others: one that was restarted or promoted answers NOSCRIPT,
// having done nothing, and is looked at before the append is sent again. The text of the script differs where less
// durability is accepted, so that a silo that accepts less does not open the gate for one that does not.
//
// Settings that are changed while Redis runs (CONFIG SET) are found by looking again every ten seconds.

/// <summary>Lets appends pass to servers that keep what they acknowledge, or that the operator accepts. Thread-safe.</summary>
internal sealed class DurabilityGate(RedisConnection connection, bool acceptLess, TimeProvider timeProvider) : IDisposable
{
    /// <summary>How old a look at the settings may be.</summary>
    public static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(10);

    private readonly string _mark = $"-- accept less durability: {(acceptLess ? "yes" : "no")}\n";
    private readonly SemaphoreSlim _looking = new(1, 1);
    private GatedScripts? _scripts;
    private Look? _last;

    /// <summary>What was last seen.</summary>
    public RedisDurability Durability => Volatile.Read(ref _last)?.Durability ?? RedisDurability.Unknown;

    /// <summary>The digest by which <see cref="RedisScripts.Append"/> is run, as Redis gave it.</summary>
    public byte[] AppendDigest => Scripts.Append;

    /// <summary>The digest by which <see cref="RedisScripts.MoveCursor"/> is run, as Redis gave it.</summary>
    public byte[] MoveCursorDigest => Scripts.MoveCursor;

    private GatedScripts Scripts => Volatile.Read(ref _scripts) ?? throw new InvalidOperationException("Nobody has passed the gate.");

    /// <summary>Returns when appends may pass.</summary>
    /// <param name="look">Whether to look at the settings whatever was seen before.</param>
    /// <exception cref="RevocationStoreException">They may not, or Redis cannot be asked. Nothing was written.</exception>
    public async ValueTask PassAsync(bool look)
    {
        Look? last = Volatile.Read(ref _last);
        if (look || last is null || timeProvider.GetElapsedTime(last.At) >= LookAgainAfter || !last.Durability.IsAccepted)
        {
            last = await LookAsync(last).ConfigureAwait(false);
        }

        if (!last.Durability.IsAccepted)
        {
            throw new RevocationStoreException(last.Durability.Description);
        }
    }

    /// <summary>Looks at the settings now.</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be asked.</exception>
    public Task LookAsync() => LookAsync(Volatile.Read(ref _last));

    /// <inheritdoc/>
    public void Dispose() => _looking.Dispose();

    private async Task<Look> LookAsync(Look? seen)
    {
        await _looking.WaitAsync().ConfigureAwait(false);
        try
        {
            // Whoever waited for another one's look takes its result.
            if (Volatile.Read(ref _last) is { } last && last != seen)
            {
                return last;
            }

            RedisDurability durability = await connection.RunAsync(
                _ => ReadAsync(), "The persistence settings of Redis could not be read, so no event is acknowledged", CancellationToken.None).ConfigureAwait(false);
            Look look = new(durability, timeProvider.GetTimestamp());
            Volatile.Write(ref _last, look);
            return look;
        }
        finally
        {
            _looking.Release();
        }
    }

    // In a Cluster the worst primary stands for all.
    private async Task<RedisDurability> ReadAsync()
    {
        RedisDurability? worst = null;
        foreach (IServer server in connection.Multiplexer.GetServers().Where(server => server.IsConnected && !server.IsReplica && server.ServerType != ServerType.Sentinel))
        {
            RedisDurability durability = await RedisDurability.ReadAsync(server, acceptLess).ConfigureAwait(false);
            if (durability.IsAccepted)
            {
                byte[] append = await server.ScriptLoadAsync(_mark + RedisScripts.Append).ConfigureAwait(false);
                Volatile.Write(ref _scripts, new GatedScripts(append, await server.ScriptLoadAsync(_mark + RedisScripts.MoveCursor).ConfigureAwait(false)));
            }

            worst = worst is null || (worst.IsAccepted, worst.IsDurable).CompareTo((durability.IsAccepted, durability.IsDurable)) > 0 ? durability : worst;
        }

        return worst ?? throw new RedisConnectionException(ConnectionFailureType.UnableToConnect, "no primary is connected");
    }

    /// <summary>What may run in a server that was looked at.</summary>
    private sealed record GatedScripts(byte[] Append, byte[] MoveCursor);

    private sealed record Look(RedisDurability Durability, long At);
}
