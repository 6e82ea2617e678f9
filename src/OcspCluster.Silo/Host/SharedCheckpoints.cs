using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Audit;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Host;

/// <summary>
/// The signed checkpoints of a cluster: the latest of each issuer lies in Redis. Silos that have the journal's key sign the next one; the others hand out what those signed. Thread-safe.
/// </summary>
/// <remarks>
/// One cluster has one key, so that auditors need one public key: the first silo makes it in its data directory (<c>journal.key</c>) and puts the public half into Redis. The private half
/// never goes there: it is for the operator to copy to the silos that shall sign, or not.
/// </remarks>
internal sealed class SharedCheckpoints : IDisposable
{
    // KEYS[1] the note; ARGV[1] the one that it replaces, empty for none; ARGV[2] the new one.
    private const string ReplaceScript = "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2]) return 1";

    private readonly RedisConnection _connection;
    private readonly TimeProvider _clock;
    private readonly ECDsa? _key;

    private SharedCheckpoints(RedisConnection connection, TimeProvider clock, ECDsa? key)
    {
        _connection = connection;
        _clock = clock;
        _key = key;
    }

    /// <summary>What the operator should know; null when nothing.</summary>
    public string? Warning { get; private init; }

    /// <summary>Whether this silo has the key; else it hands out what others signed.</summary>
    public bool MaySign => _key is not null;

    /// <summary>Opens them. For one silo at a time (<see cref="StartTurn"/>).</summary>
    /// <param name="connection">The connection; it stays open.</param>
    /// <param name="dataDirectory">Where the key is, or is made.</param>
    /// <param name="mayHaveKey">Whether this silo may have private keys.</param>
    /// <param name="clock">The time of checkpoints.</param>
    /// <exception cref="RevocationStoreException">Redis cannot be asked, or the key cannot be used.</exception>
    /// <exception cref="HostStartException">The data directory has the key of another cluster.</exception>
    public static async Task<SharedCheckpoints> OpenAsync(RedisConnection connection, string dataDirectory, bool mayHaveKey, TimeProvider clock)
    {
        RedisKey publicKey = $"{{{connection.Keys.Prefix}}}:journal-public-key";
        RedisValue known = await connection.RunAsync(database => database.StringGetAsync(publicKey, CommandFlags.DemandMaster), "The journal's public key could not be read", CancellationToken.None).ConfigureAwait(false);
        if (!mayHaveKey)
        {
            return new SharedCheckpoints(connection, clock, key: null);
        }

        if (!known.IsNull && !File.Exists(Path.Combine(dataDirectory, JournalKeyFile.PrivateFileName)))
        {
            return new SharedCheckpoints(connection, clock, key: null)
            {
                Warning = $"this silo has no {JournalKeyFile.PrivateFileName} in its data directory: the journal's checkpoints are signed by the silos that have it; copy it from one of them so that this one can, too",
            };
        }

        ECDsa key = JournalKeyFile.LoadOrCreate(dataDirectory);
        string mine = key.ExportSubjectPublicKeyInfoPem();
        if (!known.IsNull && known != mine)
        {
            key.Dispose();
            throw new HostStartException(
                $"'{Path.Combine(dataDirectory, JournalKeyFile.PrivateFileName)}' is not the journal's key of this cluster, and auditors know only one: replace it by the one of the silos that run, or move it away.");
        }

        await connection.RunAsync(database => database.StringSetAsync(publicKey, mine, flags: CommandFlags.DemandMaster), "The journal's public key could not be written", CancellationToken.None).ConfigureAwait(false);
        return new SharedCheckpoints(connection, clock, key);
    }

    /// <summary>The latest checkpoint; a new one where the journal has grown and this silo has the key.</summary>
    /// <exception cref="JournalForkException">The journal does not continue what was signed for before.</exception>
    /// <exception cref="RevocationStoreException">Redis cannot be asked, or nobody has signed yet.</exception>
    public async Task<string> SignAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisKey name = _connection.Keys.Of(issuer, "checkpoint");
        while (true)
        {
            string? previous = await _connection.RunAsync(
                database => database.StringGetAsync(name, CommandFlags.DemandMaster), $"The checkpoint of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
            if (_key is null)
            {
                return previous ?? throw new RevocationStoreException($"No silo that has the journal's key has signed a checkpoint of issuer '{issuer}' yet.");
            }

            await using RedisAuditStore store = RedisAuditStore.Open(_connection);
            string note = await new JournalNotary(new CheckpointSigner(_key), new CheckpointVerifier(_key), _clock).SignAsync(store, issuer, previous, cancellationToken).ConfigureAwait(false);
            if (note == previous)
            {
                return note;
            }

            RedisResult replaced = await _connection.RunAsync(
                database => database.ScriptEvaluateAsync(ReplaceScript, [name], [previous ?? "", note], CommandFlags.DemandMaster), $"The checkpoint of issuer '{issuer}' could not be written", cancellationToken).ConfigureAwait(false);
            if ((int)replaced == 1)
            {
                return note;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _key?.Dispose();
}
