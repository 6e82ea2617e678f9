using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// Chunks are sorted by serial, for the reason that IndexImport gives. The order of the events of one certificate is kept.

/// <summary>Submits a long list of events, as a file has them. Can be run again with the same file: what was recorded is then a duplicate.</summary>
/// <param name="authority">Takes the events.</param>
/// <param name="issuer">Whose certificates they are of.</param>
/// <param name="submitter">Who imports them.</param>
/// <param name="onProgress">Called after each batch, one call at a time.</param>
public sealed class EventImport(IRevocationAuthority authority, IssuerId issuer, Submitter submitter, Action<ImportProgress>? onProgress = null)
{
    private readonly ImportSink _sink = new(authority, issuer, submitter, onProgress);

    /// <summary>How many events are sorted in memory at a time. Default 131,072, which take about 50 MB; at least 1.</summary>
    public int ChunkEvents
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 131_072;

    /// <summary>The lines that were not taken and why, in the order in which they were found; at most 10,000.</summary>
    public IReadOnlyList<ImportProblem> Problems => _sink.Problems;

    /// <summary>The id of an event that a job makes of a certificate: the same one every time.</summary>
    /// <param name="job">The job, at most 80 characters.</param>
    /// <param name="serial">The certificate.</param>
    public static string IdOf(string job, SerialNumber serial) => ImportSink.EventId(job, serial);

    /// <summary>Imports lines.</summary>
    /// <exception cref="RevocationStoreException">The store failed. What was recorded stays; run the import again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two appends. What was recorded stays.</exception>
    public async Task<ImportProgress> RunAsync(IAsyncEnumerable<ImportedEvent> lines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lines);
        List<ImportedEvent> chunk = [];
        await foreach (ImportedEvent line in lines.ConfigureAwait(false))
        {
            _sink.CountLine();
            if (line.Problem is not null)
            {
                _sink.Settle(line.Problem);
                continue;
            }

            chunk.Add(line);
            if (chunk.Count == ChunkEvents)
            {
                await SubmitAsync(chunk, cancellationToken).ConfigureAwait(false);
                chunk.Clear();
            }
        }

        await SubmitAsync(chunk, cancellationToken).ConfigureAwait(false);
        return _sink.Progress;
    }

    private ValueTask SubmitAsync(List<ImportedEvent> chunk, CancellationToken cancellationToken) =>
        _sink.SubmitAllAsync([.. chunk.OrderBy(line => line.Event!.Serial)], cancellationToken); // a stable sort
}
