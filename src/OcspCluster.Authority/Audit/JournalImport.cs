using System.Globalization;
using System.IO.Pipelines;

namespace OcspCluster.Authority;

// Two passes over the file. The first is the verifier's, to the signed checkpoint at the end: nothing of a file that does not
// verify is written. The second reads the same entries again, compares those that the store has already, and appends the
// rest through the very append that every event takes, so that statuses, counts and trees are made by the code that always
// makes them. Each append is fenced, and an import that was cut off is carried on by running it again.

/// <summary>The outcome of an import.</summary>
/// <param name="Issuer">Whose journal.</param>
/// <param name="Entries">How many entries the export has.</param>
/// <param name="Appended">How many of them were appended; the others were in the store already, and are the same.</param>
/// <param name="Head">The end of the export's journal, which is the store's now.</param>
/// <param name="CheckpointNote">The checkpoint at the export's end, as it was signed: an audit of the store can be held against it.</param>
public sealed record JournalImportReport(IssuerId Issuer, long Entries, long Appended, JournalHead Head, string CheckpointNote);

/// <summary>Brings an exported journal (<see cref="JournalExport"/>) into a store, exactly as it is, digests and all. Memory is bounded: one append.</summary>
/// <param name="store">The store. Nothing else may write to this issuer's journal meanwhile; the fence would stop the import.</param>
/// <param name="verifier">The public key of the journal that was exported.</param>
/// <param name="progress">Told after every append; may be null.</param>
public sealed class JournalImport(IRevocationStore store, CheckpointVerifier verifier, IProgress<AuditProgress>? progress = null)
{
    /// <summary>How many entries an append takes.</summary>
    public const int EntriesPerAppend = 1024;

    /// <summary>Imports.</summary>
    /// <param name="export">What <see cref="JournalExport"/> wrote, from its beginning; it can seek.</param>
    /// <param name="cancellationToken">Gives up between two appends.</param>
    /// <exception cref="RevocationStoreException">
    /// The export does not verify, or the store has another or a longer journal of this issuer: then nothing was written.
    /// Or the store failed: import again, and it goes on where it is.
    /// </exception>
    public async Task<JournalImportReport> RunAsync(Stream export, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(export);
        long begin = export.Position;
        AuditReport verified = await new JournalExportVerifier(verifier).VerifyAsync(export, cancellationToken).ConfigureAwait(false)
            ?? throw new RevocationStoreException("The file is no exported journal. Nothing was written.");
        if (verified.FirstFinding is { } finding)
        {
            throw new RevocationStoreException($"The exported journal of issuer '{verified.Issuer}' does not verify, and nothing was written: {finding}") { Position = finding.Position };
        }

        long present = await store.GetPositionAsync(verified.Issuer, cancellationToken).ConfigureAwait(false);
        if (present > verified.Entries)
        {
            throw new RevocationStoreException(string.Create(CultureInfo.InvariantCulture,
                $"The store's journal of issuer '{verified.Issuer}' has {present} entries, and the export has {verified.Entries}. Nothing was written. Export again, or import into an empty store."));
        }

        export.Position = begin;
        PipeReader lines = PipeReader.Create(export, new StreamPipeReaderOptions(leaveOpen: true, bufferSize: 64 * 1024));
        try
        {
            return await CopyAsync(verified, present, lines, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await lines.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task<JournalImportReport> CopyAsync(AuditReport verified, long present, PipeReader lines, CancellationToken cancellationToken)
    {
        IssuerId issuer = verified.Issuer;
        await using IAsyncEnumerator<JournalEntry> stored = store.ReadJournalAsync(issuer, 0, cancellationToken).GetAsyncEnumerator(cancellationToken);
        List<JournalEntry> entries = [];
        JournalHead head = default;
        await ExportLine.ReadNextAsync(lines, cancellationToken).ConfigureAwait(false); // the header, which was verified
        while (true)
        {
            byte[] line = await ExportLine.ReadNextAsync(lines, cancellationToken).ConfigureAwait(false) ?? throw Changed();
            if (ExportLine.ReadEntry(line) is not { } chained)
            {
                string note = ExportLine.ReadCheckpoint(line) ?? throw Changed();
                if (entries.Count > 0)
                {
                    await AppendAsync(issuer, entries).ConfigureAwait(false);
                }

                return head.Position == verified.Entries ? new JournalImportReport(issuer, head.Position, head.Position - present, head, note) : throw Changed();
            }

            Digest digest = JournalHash.Compute(issuer, chained.Entry, head.Hash);
            if (chained.Entry.Position != head.Position + 1 || digest != chained.Hash)
            {
                throw Changed();
            }

            head = new JournalHead(chained.Entry.Position, digest);
            if (head.Position <= present)
            {
                if (!await stored.MoveNextAsync().ConfigureAwait(false) || stored.Current != chained.Entry)
                {
                    throw new RevocationStoreException(
                        $"The store's journal of issuer '{issuer}' is not the beginning of the export: entry {head.Position} is another. Nothing was written. Import into an empty store.")
                    { Position = head.Position };
                }

                continue;
            }

            entries.Add(chained.Entry);
            if (entries.Count == EntriesPerAppend)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await AppendAsync(issuer, entries).ConfigureAwait(false);
                entries = [];
            }
        }

        RevocationStoreException Changed() => new($"The exported journal of issuer '{issuer}' was changed while it was imported. What was imported is in the store; import an unchanged export to go on.");
    }

    private async Task AppendAsync(IssuerId issuer, List<JournalEntry> entries)
    {
        AppendResult result = await store.AppendAsync(issuer, entries[0].Position - 1, entries).ConfigureAwait(false);
        if (!result.Appended)
        {
            throw new RevocationStoreException(
                $"Somebody else appends to the journal of issuer '{issuer}': it is at {result.Position}. Stop what writes to it, and import into an empty store.");
        }

        progress?.Report(new AuditProgress(issuer, "import", result.Position));
    }
}
