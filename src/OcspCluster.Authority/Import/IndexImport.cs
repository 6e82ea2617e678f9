using OcspCluster.Protocol;

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

/// <summary>How far an import is, or what it came to.</summary>
/// <param name="Lines">Lines read, without comments.</param>
/// <param name="Applied">Events recorded.</param>
/// <param name="Duplicates">Events that another import recorded meanwhile.</param>
/// <param name="Unchanged">Certificates of which the store knew all that the index says.</param>
/// <param name="Problems">Lines not taken.</param>
public readonly record struct ImportProgress(long Lines, long Applied, long Duplicates, long Unchanged, long Problems);

/// <summary>Brings an issuer's journal to what an OpenSSL index says. Can be run again at any time.</summary>
public sealed class IndexImport
{
    /// <summary>How many problems are kept in words; all are counted.</summary>
    public const int MaxProblemsKept = 10_000;

    // While one append is on its way to the disk the next batches are read and judged; the sequencer's next turn takes them all.
    private const int BatchLines = 1024;
    private const int MaxBatchesInFlight = 6;

    private readonly IssuerSequencer _sequencer;
    private readonly IRevocationStore _store;
    private readonly TimeProvider _timeProvider;
    private readonly Action<ImportProgress>? _onProgress;
    private readonly List<ImportProblem> _problems = []; // guards itself and _progress while batches are in flight
    private ImportProgress _progress;

    /// <summary>For one run.</summary>
    /// <param name="sequencer">Of the issuer whose index it is.</param>
    /// <param name="store">The sequencer's.</param>
    /// <param name="timeProvider">Dates the events of which the index does not say when they happened.</param>
    /// <param name="onProgress">Called after each chunk, on the import's own thread.</param>
    public IndexImport(IssuerSequencer sequencer, IRevocationStore store, TimeProvider timeProvider, Action<ImportProgress>? onProgress = null)
    {
        ArgumentNullException.ThrowIfNull(sequencer);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(timeProvider);
        _sequencer = sequencer;
        _store = store;
        _timeProvider = timeProvider;
        _onProgress = onProgress;
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

    /// <summary>The lines that were not taken and why, in the order in which they were found; at most <see cref="MaxProblemsKept"/>.</summary>
    public IReadOnlyList<ImportProblem> Problems => _problems;

    /// <summary>Imports a whole index.</summary>
    /// <exception cref="RevocationStoreException">The store failed. What was recorded stays; run the import again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two appends. What was recorded stays.</exception>
    public async Task<ImportProgress> RunAsync(Stream index, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        List<OpenSslIndexEntry> chunk = [];
        await foreach (OpenSslIndexLine line in OpenSslIndex.ReadAsync(index, cancellationToken).ConfigureAwait(false))
        {
            _progress = _progress with { Lines = _progress.Lines + 1 };
            if (line.Problem is not null)
            {
                Report(line.Problem);
                continue;
            }

            chunk.Add(line.Entry!);
            if (chunk.Count == ChunkLines)
            {
                await ImportAsync(chunk, cancellationToken).ConfigureAwait(false);
                chunk.Clear();
            }
        }

        await ImportAsync(chunk, cancellationToken).ConfigureAwait(false);
        return _progress;
    }

    private async ValueTask ImportAsync(List<OpenSslIndexEntry> chunk, CancellationToken cancellationToken)
    {
        List<OpenSslIndexEntry> entries = OnePerSerial(chunk);
        Queue<Task> inFlight = new();
        try
        {
            for (int start = 0; start < entries.Count; start += BatchLines)
            {
                List<OpenSslIndexEntry> batch = entries.GetRange(start, Math.Min(BatchLines, entries.Count - start));
                IReadOnlyList<CertificateStatus?> statuses = await _store.FindStatusesAsync(
                    _sequencer.Issuer, [.. batch.Select(entry => entry.Serial)], cancellationToken).ConfigureAwait(false);
                if (inFlight.Count == MaxBatchesInFlight)
                {
                    await inFlight.Dequeue().ConfigureAwait(false);
                }

                inFlight.Enqueue(SubmitAsync(batch, statuses, cancellationToken));
            }
        }
        finally
        {
            // Also before an exception leaves: nothing goes on behind the caller's back.
            await Task.WhenAll(inFlight).ConfigureAwait(false);
        }

        _onProgress?.Invoke(_progress);
    }

    private async Task SubmitAsync(List<OpenSslIndexEntry> batch, IReadOnlyList<CertificateStatus?> statuses, CancellationToken cancellationToken)
    {
        List<RevocationEvent> events = new(batch.Count);
        List<long> lines = new(batch.Count);
        lock (_problems)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                Derive(batch[i], statuses[i], events);
                while (lines.Count < events.Count)
                {
                    lines.Add(batch[i].Line);
                }
            }
        }

        IReadOnlyList<EventOutcome> outcomes = await _sequencer.SubmitAsync(events, cancellationToken).ConfigureAwait(false);
        lock (_problems)
        {
            Count(outcomes, lines);
        }
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
                Report(new ImportProblem(entry.Line, $"Line {entry.Line} has the serial number {entry.Serial} of line {gravest.Line}, which counts instead."));
            }
            else
            {
                kept.Add(entry);
            }
        }

        return kept;
    }

    private void Derive(OpenSslIndexEntry entry, CertificateStatus? current, List<RevocationEvent> events)
    {
        int before = events.Count;
        if (current is null || current.NotAfter is null)
        {
            events.Add(Event(entry, current, EventKind.Issued) with { NotAfter = entry.NotAfter });
        }

        switch (current?.State, entry.State)
        {
            case (CertificateState.Revoked, not CertificateState.Revoked):
                Report(new ImportProblem(entry.Line, $"Line {entry.Line} has serial number {entry.Serial} as {entry.State.ToString().ToLowerInvariant()}; it is recorded as revoked, and that is for good."));
                return;
            case (CertificateState.Held, CertificateState.Good):
                events.Add(Event(entry, current, EventKind.Released));
                break;
            case (not CertificateState.Held, CertificateState.Held):
                events.Add(Event(entry, current, EventKind.Held));
                break;
            case (CertificateState.Revoked, CertificateState.Revoked) when !KnowsMore(entry, current!):
                break;
            case (_, CertificateState.Revoked):
                events.Add(Event(entry, current, EventKind.Revoked) with { Reason = entry.Reason, InvalidityDate = entry.InvalidityDate });
                break;
        }

        if (events.Count == before)
        {
            _progress = _progress with { Unchanged = _progress.Unchanged + 1 };
        }
    }

    // Whether a revocation says what the recorded one does not. A later time is nothing new: the first one stands, and what
    // was revoked after a hold is revoked since the hold.
    private static bool KnowsMore(OpenSslIndexEntry entry, CertificateStatus recorded) =>
        entry.Reason != recorded.Reason
        || entry.RevocationTime < recorded.RevocationTime
        || (entry.InvalidityDate is { } date && !(recorded.InvalidityDate <= date));

    private RevocationEvent Event(OpenSslIndexEntry entry, CertificateStatus? current, EventKind kind) => new()
    {
        Id = EventId(entry.Serial, current?.Position ?? 0, kind),
        Serial = entry.Serial,
        Kind = kind,
        At = kind is EventKind.Revoked or EventKind.Held ? entry.RevocationTime!.Value : _timeProvider.GetUtcNow(), // the index does not say
    };

    private static string EventId(SerialNumber serial, long position, EventKind kind)
    {
        string octets = Convert.ToHexString(serial.Content);
        string id = $"index:{octets}:{position}:{kind.ToString().ToLowerInvariant()}";

        // A serial of 80 octets and more, which no CA should issue: its hash names it as well.
        return id.Length <= StatusRules.MaxEventIdLength
            ? id
            : $"index:#{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(serial.Content))}:{position}:{kind.ToString().ToLowerInvariant()}";
    }

    private void Count(IReadOnlyList<EventOutcome> outcomes, List<long> lines)
    {
        for (int i = 0; i < outcomes.Count; i++)
        {
            switch (outcomes[i].Kind)
            {
                case EventOutcomeKind.Applied:
                    _progress = _progress with { Applied = _progress.Applied + 1 };
                    break;
                case EventOutcomeKind.Duplicate:
                    _progress = _progress with { Duplicates = _progress.Duplicates + 1 };
                    break;
                default:
                    Report(new ImportProblem(lines[i], $"Line {lines[i]} was refused: {outcomes[i].Refusal!.Value.ToSentence()}."));
                    break;
            }
        }
    }

    private void Report(ImportProblem problem)
    {
        _progress = _progress with { Problems = _progress.Problems + 1 };
        if (_problems.Count < MaxProblemsKept)
        {
            _problems.Add(problem);
        }
    }
}
