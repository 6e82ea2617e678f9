using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Audit;

/// <summary>The outcome of an audit of a data directory.</summary>
/// <param name="Issuers">One report for each issuer.</param>
/// <param name="Structure">What is wrong beyond any one issuer.</param>
public sealed record StoreAuditReport(IReadOnlyList<AuditReport> Issuers, IReadOnlyList<string> Structure)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsAccepted => Structure.Count == 0 && Issuers.All(issuer => issuer.IsAccepted);
}

/// <summary>What an operator does with the journals of a data directory: verify, sign, export. Works beside a running service.</summary>
public static class StoreAudit
{
    /// <summary>Verifies every issuer's journal and statuses, and compares them with the latest signed checkpoints.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="publicKeyFile">The journal's public key; null for the data directory's own, where there is one.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RevocationStoreException">The store cannot be opened at all, or the key cannot be used.</exception>
    public static async Task<StoreAuditReport> VerifyAsync(
        string directory, string? publicKeyFile, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        string ownKeyFile = Path.Combine(directory, JournalKeyFile.PublicFileName);
        publicKeyFile ??= File.Exists(ownKeyFile) ? ownKeyFile : null;
        using ECDsa? key = publicKeyFile is null ? null : JournalKeyFile.LoadPublic(publicKeyFile);
        await using SqliteAuditStore store = SqliteAuditStore.Open(directory);
        JournalAudit audit = new(store, key is null ? null : new CheckpointVerifier(key), progress);
        CheckpointDirectory checkpoints = new(directory);

        List<AuditReport> reports = [];
        try
        {
            foreach (IssuerId issuer in await store.ListIssuersAsync(cancellationToken).ConfigureAwait(false))
            {
                reports.Add(await audit.VerifyAsync(issuer, checkpoints.Read(issuer), cancellationToken).ConfigureAwait(false));
            }
        }
        catch (RevocationStoreException e)
        {
            return new StoreAuditReport(reports, [e.Message]); // the list of issuers itself cannot be read
        }

        IEnumerable<string> forgotten = checkpoints.ListIssuers()
            .Except(reports.Select(report => report.Issuer))
            .Select(issuer => $"A checkpoint was signed for issuer '{issuer}', and the store has nothing of it.");
        return new StoreAuditReport(reports, [.. await audit.VerifyStructureAsync(cancellationToken).ConfigureAwait(false), .. forgotten]);
    }

    /// <summary>Signs a checkpoint of an issuer's journal as it is now, and keeps it as the latest.</summary>
    /// <returns>The note.</returns>
    /// <exception cref="JournalForkException">The journal does not continue what was signed for before.</exception>
    /// <exception cref="RevocationStoreException">The store or the key cannot be used.</exception>
    public static async Task<string> SignAsync(string directory, IssuerId issuer, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        using ECDsa key = JournalKeyFile.LoadOrCreate(directory);
        await using SqliteAuditStore store = SqliteAuditStore.Open(directory);
        CheckpointDirectory checkpoints = new(directory);
        string? previous = checkpoints.Read(issuer);
        string note = await new JournalNotary(new CheckpointSigner(key), new CheckpointVerifier(key), timeProvider)
            .SignAsync(store, issuer, previous, cancellationToken).ConfigureAwait(false);
        if (note != previous)
        {
            checkpoints.Write(issuer, note);
        }

        return note;
    }

    /// <summary>Signs for an issuer's journal as it is now, and writes all of it with that checkpoint.</summary>
    /// <inheritdoc cref="SignAsync"/>
    public static async Task<Checkpoint> ExportAsync(
        string directory, IssuerId issuer, Stream output, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        string note = await SignAsync(directory, issuer, timeProvider, cancellationToken).ConfigureAwait(false);
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(directory, JournalKeyFile.PublicFileName));
        Checkpoint checkpoint = new CheckpointVerifier(key).Verify(note) ?? throw new RevocationStoreException("The checkpoint that was just signed does not verify.");
        await using SqliteAuditStore store = SqliteAuditStore.Open(directory);
        await JournalExport.WriteAsync(store, checkpoint, note, output, cancellationToken).ConfigureAwait(false);
        return checkpoint;
    }
}
