using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Audit;

/// <summary>Brings an exported journal into a data directory. The service must not run.</summary>
public static class StoreImport
{
    /// <summary>Imports, and proves the store by an audit that is held against the export's checkpoint.</summary>
    /// <param name="directory">The data directory; it is made where it is missing.</param>
    /// <param name="export">What <see cref="JournalExport"/> wrote; it can seek.</param>
    /// <param name="key">The public key of the journal that was exported.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Gives up; import again to go on.</param>
    /// <returns>What was imported, and the audit of the store as it is now.</returns>
    /// <exception cref="RevocationStoreException">The directory is in use, the export does not verify, or the store has another journal of its issuer.</exception>
    public static async Task<(JournalImportReport Import, AuditReport Audit)> RunAsync(
        string directory, Stream export, ECDsa key, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        CheckpointVerifier verifier = new(key);
        JournalImportReport import;
        await using (SqliteRevocationStore store = SqliteRevocationStore.Open(directory))
        {
            import = await new JournalImport(store, verifier, progress).RunAsync(export, cancellationToken).ConfigureAwait(false);
        }

        await using SqliteAuditStore audited = SqliteAuditStore.Open(directory);
        AuditReport audit = await new JournalAudit(audited, verifier, progress).VerifyAsync(import.Issuer, import.CheckpointNote, cancellationToken).ConfigureAwait(false);
        return (import, audit);
    }
}
