namespace OcspCluster.Authority;

// An index is a state, the journal is of events. The import compares the two, certificate by certificate, and submits the
// events that lead from what the store knows to what the index says:
//
//     store \ index | good                       | held              | revoked
//     --------------+----------------------------+-------------------+------------------------------------------------
//     unknown       | issued                     | issued, held      | issued, revoked
//     good          | nothing (issued: notAfter) | held              | revoked
//     held          | released                   | nothing           | revoked
//     revoked       | a problem                  | a problem         | nothing, or revoked if the index knows more
//
// So a second run finds nothing to do, and an import that was killed is mended by running it again.
//
// An event's id is made of the serial, the journal position of the status that it was derived from, and its kind. Two
// imports at once derive the same events from the same status, and the second one's are duplicates; but a certificate
// held, released and held again has three ids. They sort as the serials do, which keeps the insertions into the index of
// ids beside each other: filled in random order it cost a quarter more time (docs/decisions/0010).
//
// Chunks are sorted by serial: 3 to 6 times faster in a B-tree than the order of issuance of random serials. A chunk has
// each serial once, and is finished before the next begins: what is in flight never concerns one certificate twice.

/// <summary>Brings an issuer's journal to what an OpenSSL index says. Can be run again at any time.</summary>
public sealed class IndexImport
{
    private readonly IRevocationStore _store;
    private readonly TimeProvider _timeProvider;
    private readonly ImportSink _sink;

    /// <summary>For one run.</summary>
    /// <param name="authority">Takes the events.</param>
    /// <param name="issuer">Whose index it is.</param>
    /// <param name="store">The authority's.</param>
    /// <param name="timeProvider">Dates the events of which the index does not say when they happened.</param>
    /// <param name="submitter">Who imports it; null for this process.</param>
    /// <param name="onProgress">Called after each batch, one call at a time.</param>
    public IndexImport(
        IRevocationAuthority authority, IssuerId issuer, IRevocationStore store, TimeProvider timeProvider, Submitter? submitter = null, Action<ImportProgress>? onProgress = null)
    {
        ArgumentNullException.ThrowIfNull(authority);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(timeProvider);
        _store = store;
        _timeProvider = timeProvider;
        _sink = new ImportSink(authority, issuer, submitter ?? Submitter.Local, onProgress);
    }

    /// <summary>How many lines are sorted in memory at a time. Default 262,144, which take about 60 MB; at least 1. More is faster, as fewer pages are written twice.</summary>
    public int ChunkLines
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 262_144;

    /// <summary>The lines that were not taken and why, in the order in which they were found; at most 10,000.</summary>
    public IReadOnlyList<ImportProblem> Problems => _sink.Problems;

    /// <summary>Imports a whole index.</summary>
    /// <inheritdoc cref="RunAsync(IAsyncEnumerable{OpenSslIndexLine}, CancellationToken)"/>
    public Task<ImportProgress> RunAsync(Stream index, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        return RunAsync(OpenSslIndex.ReadAsync(index, cancellationToken), cancellationToken);
    }

    /// <summary>Imports lines of an index.</summary>
    /// <exception cref="RevocationStoreException">The store failed. What was recorded stays; run the import again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two appends. What was recorded stays.</exception>
    public async Task<ImportProgress> RunAsync(IAsyncEnumerable<OpenSslIndexLine> lines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lines);
        List<OpenSslIndexEntry> chunk = [];
        await foreach (OpenSslIndexLine line in lines.ConfigureAwait(false))
        {
            _sink.CountLine();
            if (line.Problem is not null)
            {
                _sink.Settle(line.Problem);
                continue;
            }

            chunk.Add(line.Entry!);
            if (chunk.Count == ChunkLines)
            {
                await _sink.CompareAsync(_store, OnePerSerial(chunk), entry => entry.Serial, Derive, cancellationToken).ConfigureAwait(false);
                chunk.Clear();
            }
        }

        await _sink.CompareAsync(_store, OnePerSerial(chunk), entry => entry.Serial, Derive, cancellationToken).ConfigureAwait(false);
        return _sink.Progress;
    }

    // Sorted by serial. Of several lines with one serial the gravest counts, whatever their order: openssl ca never writes
    // such an index, and a revocation is not undone by a mistake. (In lines further apart than a chunk, the later line meets
    // the status that the earlier one made: a revocation still stands, a hold is released.)
    private List<OpenSslIndexEntry> OnePerSerial(List<OpenSslIndexEntry> chunk)
    {
        List<OpenSslIndexEntry> kept = new(chunk.Count);
        foreach (OpenSslIndexEntry entry in chunk
            .OrderBy(entry => entry.Serial)
            .ThenByDescending(entry => entry.State == CertificateState.Revoked)
            .ThenByDescending(entry => entry.State == CertificateState.Held)
            .ThenBy(entry => entry.Line))
        {
            if (kept is [.., var gravest] && gravest.Serial == entry.Serial)
            {
                _sink.Settle(new ImportProblem(entry.Line, $"Line {entry.Line} has the serial number {entry.Serial} of line {gravest.Line}, which counts instead."));
            }
            else
            {
                kept.Add(entry);
            }
        }

        return kept;
    }

    private ImportProblem? Derive(OpenSslIndexEntry entry, CertificateStatus? current, List<ImportedEvent> events)
    {
        if (current is null || current.NotAfter is null)
        {
            Add(Event(entry, current, EventKind.Issued) with { NotAfter = entry.NotAfter });
        }

        switch (current?.State, entry.State)
        {
            case (CertificateState.Revoked, not CertificateState.Revoked):
                return new ImportProblem(entry.Line, $"Line {entry.Line} has serial number {entry.Serial} as {entry.State.ToString().ToLowerInvariant()}; it is recorded as revoked, and that is for good.");
            case (CertificateState.Held, CertificateState.Good):
                Add(Event(entry, current, EventKind.Released));
                break;
            case (not CertificateState.Held, CertificateState.Held):
                Add(Event(entry, current, EventKind.Held));
                break;
            case (CertificateState.Revoked, CertificateState.Revoked) when !KnowsMore(entry, current!):
                break;
            case (_, CertificateState.Revoked):
                Add(Event(entry, current, EventKind.Revoked) with { Reason = entry.Reason, InvalidityDate = entry.InvalidityDate });
                break;
        }

        return null;

        void Add(RevocationEvent @event) => events.Add(new ImportedEvent(entry.Line, @event, null));
    }

    // Whether a revocation says what the recorded one does not. A later time is nothing new: the first one stands, and what
    // was revoked after a hold is revoked since the hold.
    private static bool KnowsMore(OpenSslIndexEntry entry, CertificateStatus recorded) =>
        entry.Reason != recorded.Reason
        || entry.RevocationTime < recorded.RevocationTime
        || (entry.InvalidityDate is { } date && !(recorded.InvalidityDate <= date));

    private RevocationEvent Event(OpenSslIndexEntry entry, CertificateStatus? current, EventKind kind) => new()
    {
        Id = ImportSink.EventId("index", entry.Serial, $"{current?.Position ?? 0}:{kind.ToString().ToLowerInvariant()}"),
        Serial = entry.Serial,
        Kind = kind,
        At = kind is EventKind.Revoked or EventKind.Held ? entry.RevocationTime!.Value : _timeProvider.GetUtcNow(), // the index does not say
    };
}
