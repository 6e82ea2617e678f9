using System.Globalization;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// Version 1, {x} being {prefix:issuer}:
//
//   {prefix}:schema    the version, in decimal                 {prefix}:issuers   the set of the issuers
//   {x}:head           hash: position, hash (the last entry's digest), good, revoked, held (counts), layout (the version)
//   {x}:journal        stream: entry {position}-0, field e the entry, field p the certificate's entry before it, if any
//   {x}:tree:L         string: the digests of level L (8, 16, 24, 32), 32 octets each
//   {x}:s {x}:e {x}:r {x}:h and {x}:s:… and so on    the sorted trees (RedisScripts)
//   {x}:checkpoint     the latest signed checkpoint (RedisAudit)
//   {x}:leases         the leases that the issuer's actor granted; not of this store
//
// A step leads from one version to the next, one issuer at a time. It writes the new layout into the issuer's head, in the
// same script as what it changes: from then on the append script of an older silo, which is still running perhaps, is
// refused. A crash between two issuers leaves some of them behind; the next start goes on with them. So a step must do
// nothing to an issuer that has its layout already, which this class sees to.

/// <summary>The version of the layout, and how an older one becomes today's.</summary>
/// <param name="steps">The step at index n leads from version n + 1 to n + 2. Never change one that was released; add one.</param>
internal sealed class RedisSchema(params IReadOnlyList<Func<RedisConnection, IssuerId, Task>> steps)
{
    private const string LayoutField = "layout";

    /// <summary>That of this program.</summary>
    public static RedisSchema Current { get; } = new();

    /// <summary>The version that this program writes.</summary>
    public int Version => steps.Count + 1;

    /// <summary>Makes what is in Redis today's.</summary>
    /// <exception cref="RevocationStoreException">It is a newer version's, or Redis cannot be asked.</exception>
    public async Task PrepareAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        RedisKey key = connection.Keys.Schema;
        RedisValue version = await connection.RunAsync(
            async database =>
            {
                await database.StringSetAsync(key, Version, when: When.NotExists, flags: CommandFlags.DemandMaster).ConfigureAwait(false);
                return await database.StringGetAsync(key, CommandFlags.DemandMaster).ConfigureAwait(false);
            },
            "The version of the data in Redis could not be read", cancellationToken).ConfigureAwait(false);
        if (!version.TryParse(out long found) || found < 1)
        {
            throw new RevocationStoreException($"The key '{key}' of Redis ({connection.Description}) is another program's. Choose another Redis:KeyPrefix.");
        }

        if (found > Version)
        {
            throw new RevocationStoreException(string.Create(CultureInfo.InvariantCulture,
                $"The data under '{connection.Keys.Prefix}' in Redis ({connection.Description}) have schema version {found}; this program knows versions up to {Version}. Run the newer program that wrote them, or restore the backup made before the upgrade."));
        }

        if (found < Version)
        {
            await MigrateAsync(connection, found, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Checks that what is only read is of today's version; nothing at all is, too.</summary>
    /// <exception cref="RevocationStoreException">It is another version's, or Redis cannot be asked.</exception>
    public async Task CheckIsCurrentAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        RedisValue found = await connection.RunAsync(
            database => database.StringGetAsync(connection.Keys.Schema, CommandFlags.DemandMaster), "The version of the data in Redis could not be read", cancellationToken).ConfigureAwait(false);
        if (!found.IsNull && found != Version)
        {
            throw new RevocationStoreException($"The data under '{connection.Keys.Prefix}' in Redis ({connection.Description}) have schema version {found}, and this program reads version {Version}. Use the program that wrote them, or start a silo of this one: it brings older data up to date.");
        }
    }

    // Two silos that start at once may both do this; the steps are scripts, and the second one of an issuer finds it done.
    private async Task MigrateAsync(RedisConnection connection, long version, CancellationToken cancellationToken)
    {
        RedisValue[] issuers = await connection.RunAsync(
            database => database.SetMembersAsync(connection.Keys.Issuers, CommandFlags.DemandMaster), "The issuers could not be read", cancellationToken).ConfigureAwait(false);
        foreach (RedisValue name in issuers)
        {
            IssuerId issuer = new(name.ToString());
            for (long from = Math.Max(version, await ReadLayoutAsync(connection, issuer, cancellationToken).ConfigureAwait(false) ?? Version); from < Version; from++)
            {
                await steps[(int)from - 1](connection, issuer).ConfigureAwait(false);
                if (await ReadLayoutAsync(connection, issuer, cancellationToken).ConfigureAwait(false) is not { } now || now <= from)
                {
                    throw new RevocationStoreException($"Issuer '{issuer}' could not be migrated from schema version {from}. What is in Redis is as it was; keep a copy of it and report this.");
                }
            }
        }

        await connection.RunAsync(
            database => database.StringSetAsync(connection.Keys.Schema, Version, flags: CommandFlags.DemandMaster), "The version of the data in Redis could not be written", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The layout of an issuer's keys; null when it has no journal.</summary>
    private static async Task<long?> ReadLayoutAsync(RedisConnection connection, IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisValue layout = await connection.RunAsync(
            database => database.HashGetAsync(connection.Keys.Head(issuer), LayoutField, CommandFlags.DemandMaster),
            $"The layout of the keys of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return layout.IsNull ? null : (long)layout;
    }
}
