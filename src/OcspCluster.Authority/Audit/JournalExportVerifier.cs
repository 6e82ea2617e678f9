using System.IO.Pipelines;

namespace OcspCluster.Authority;

/// <summary>
/// Verifies an exported journal with the public key alone: no store, no service. Accepts it, or names the first bad entry.
/// Memory is bounded: one line.
/// </summary>
public sealed class JournalExportVerifier(CheckpointVerifier verifier)
{
    /// <summary>The longest line that is read.</summary>
    public const int MaxLineBytes = 1024 * 1024;

    /// <summary>Verifies.</summary>
    /// <param name="export">What <see cref="JournalExport"/> wrote.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The report; null when the first line is not that of an export, so that it cannot be said whose journal it is.</returns>
    public async Task<AuditReport?> VerifyAsync(Stream export, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(export);
        PipeReader lines = PipeReader.Create(export, new StreamPipeReaderOptions(leaveOpen: true, bufferSize: 64 * 1024));
        try
        {
            if (await ExportLine.ReadNextAsync(lines, cancellationToken).ConfigureAwait(false) is not { } header || ExportLine.ReadHeader(header) is not { } issuer)
            {
                return null;
            }

            AuditTally tally = new(issuer);
            await VerifyLinesAsync(tally, lines, cancellationToken).ConfigureAwait(false);
            return tally.ToReport();
        }
        finally
        {
            await lines.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task VerifyLinesAsync(AuditTally tally, PipeReader lines, CancellationToken cancellationToken)
    {
        Digest previous = default;
        while (tally.First is null)
        {
            byte[]? line = await ExportLine.ReadNextAsync(lines, cancellationToken).ConfigureAwait(false);
            if (line is null)
            {
                tally.Add(tally.Entries + 1, AuditFault.Malformed, "the file ends here, or the line is too long; a checkpoint was to follow");
            }
            else if (ExportLine.ReadCheckpoint(line) is { } note)
            {
                VerifyCheckpoint(tally, note);
                if (await ExportLine.ReadNextAsync(lines, cancellationToken).ConfigureAwait(false) is not null)
                {
                    tally.Add(tally.Entries + 1, AuditFault.Malformed, "there is something after the checkpoint");
                }

                return;
            }
            else if (ExportLine.ReadEntry(line) is not { } chained)
            {
                tally.Add(tally.Entries + 1, AuditFault.Malformed, "the line is no entry and no checkpoint");
            }
            else if (chained.Entry.Position != tally.Entries + 1)
            {
                tally.Add(tally.Entries + 1, AuditFault.Missing, $"the next entry is {chained.Entry.Position}");
            }
            else if (JournalHash.Compute(tally.Issuer, chained.Entry, previous) != chained.Hash)
            {
                tally.Add(chained.Entry.Position, AuditFault.HashMismatch, "the entry, or the digest beside it, was changed: they do not belong together");
            }
            else
            {
                previous = chained.Hash;
                tally.Append(MerkleHash.Leaf(previous));
            }
        }
    }

    private void VerifyCheckpoint(AuditTally tally, string note)
    {
        Checkpoint? checkpoint = verifier.Verify(note);
        if (checkpoint?.Issuer != tally.Issuer)
        {
            tally.Add(null, AuditFault.CheckpointInvalid, "the checkpoint is malformed, another issuer's, or not signed by the journal's key");
            return;
        }

        tally.Checkpoint = checkpoint;
        if (checkpoint.Size != tally.Entries)
        {
            tally.Add(Math.Min(checkpoint.Size, tally.Entries) + 1, AuditFault.CheckpointMismatch, $"the checkpoint was signed for {checkpoint.Size} entries, and there are {tally.Entries}");
        }
        else if (checkpoint.Root != tally.Root)
        {
            tally.Add(null, AuditFault.CheckpointMismatch, "the entries are chained, and they are not those that were signed for");
        }
    }
}
