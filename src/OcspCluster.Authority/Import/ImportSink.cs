using System.Security.Cryptography;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>How far an import is, or what it came to.</summary>
/// <param name="Lines">Lines, or entries of a CRL, that were read, without comments.</param>
/// <param name="Applied">Events recorded.</param>
/// <param name="Duplicates">Events that were recorded before, or by another import meanwhile.</param>
/// <param name="Unchanged">Certificates of which the store knew all that the source says.</param>
/// <param name="Problems">Lines not taken.</param>
/// <param name="Settled">Lines of which it is known what became of them.</param>
public readonly record struct ImportProgress(long Lines, long Applied, long Duplicates, long Unchanged, long Problems, long Settled);

/// <summary>A line of an import that was not taken.</summary>
/// <param name="Line">The line, from 1; of a CRL the entry, and 0 for what is no entry's.</param>
/// <param name="Problem">What is wrong with it, in a sentence.</param>
public sealed record ImportProblem(long Line, string Problem);

/// <summary>One line of a source of events: the event or what is wrong. Exactly one of the two.</summary>
public readonly record struct ImportedEvent(long Line, RevocationEvent? Event, ImportProblem? Problem);

// While one append is on its way to the disk the next batches are read and judged; the sequencer's next turn takes them all. What is in flight never concerns one
// certificate twice: batches are cut between certificates, and a chunk is finished before the next begins. So it does not matter in which order they arrive.

/// <summary>Takes what an import derives: submits it, several batches at once, and counts what became of it.</summary>
internal sealed class ImportSink(IRevocationAuthority authority, IssuerId issuer, Submitter submitter, Action<ImportProgress>? onProgress)
{
    /// <summary>How many problems are kept in words; all are counted.</summary>
    public const int MaxProblemsKept = 10_000;

    private const int BatchLines = 1024;
    private const int MaxBatchesInFlight = 6;

    private readonly Queue<Task> _inFlight = new();
    private readonly Lock _gate = new();
    private readonly List<ImportProblem> _problems = []; // guarded by _gate while batches are in flight
    private ImportProgress _progress; // likewise

    public IReadOnlyList<ImportProblem> Problems => _problems;

    public ImportProgress Progress
    {
        get
        {
            lock (_gate)
            {
                return _progress;
            }
        }
    }

    public void CountLine()
    {
        lock (_gate)
        {
            _progress = _progress with { Lines = _progress.Lines + 1 };
        }
    }

    /// <summary>A line of which it is clear, when it is read, that nothing comes of it.</summary>
    public void Settle(ImportProblem problem)
    {
        lock (_gate)
        {
            _progress = _progress with { Settled = _progress.Settled + 1 };
            Report(problem);
        }
    }

    /// <summary>Adds to what is known to be wrong.</summary>
    public void Report(ImportProblem problem)
    {
        lock (_gate)
        {
            _progress = _progress with { Problems = _progress.Problems + 1 };
            if (_problems.Count < MaxProblemsKept)
            {
                _problems.Add(problem);
            }
        }
    }

    /// <summary>Compares entries, sorted and of one certificate each, with what is recorded, and submits what <paramref name="derive"/> makes of them. Returns when all of it is settled.</summary>
    /// <param name="store">What is recorded.</param>
    /// <param name="entries">The entries.</param>
    /// <param name="serialOf">An entry's certificate.</param>
    /// <param name="derive">Adds the events that lead from the status to the entry, none where they agree; or says why nothing leads there.</param>
    /// <param name="cancellationToken">Ends it between two batches.</param>
    public async ValueTask CompareAsync<TEntry>(
        IRevocationStore store, IReadOnlyList<TEntry> entries, Func<TEntry, SerialNumber> serialOf, Func<TEntry, CertificateStatus?, List<ImportedEvent>, ImportProblem?> derive, CancellationToken cancellationToken)
    {
        try
        {
            for (int start = 0; start < entries.Count; start += BatchLines)
            {
                TEntry[] batch = [.. entries.Skip(start).Take(BatchLines)];
                IReadOnlyList<CertificateStatus?> statuses = await store.FindStatusesAsync(issuer, [.. batch.Select(serialOf)], cancellationToken).ConfigureAwait(false);
                List<ImportedEvent> events = new(batch.Length);
                for (int i = 0; i < batch.Length; i++)
                {
                    int before = events.Count;
                    if (derive(batch[i], statuses[i], events) is { } problem)
                    {
                        Report(problem);
                    }
                    else if (events.Count == before)
                    {
                        CountUnchanged();
                    }
                }

                await SubmitAsync(events, batch.Length, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await DrainAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Submits events, sorted by certificate, in their order. Returns when all of them are settled.</summary>
    public async ValueTask SubmitAllAsync(IReadOnlyList<ImportedEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            int start = 0;
            while (start < events.Count)
            {
                int end = Math.Min(start + BatchLines, events.Count);
                while (end < events.Count && events[end].Event!.Serial == events[end - 1].Event!.Serial)
                {
                    end++;
                }

                await SubmitAsync([.. events.Skip(start).Take(end - start)], end - start, cancellationToken).ConfigureAwait(false);
                start = end;
            }
        }
        finally
        {
            await DrainAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The id of an event that an import made: the same one every time it makes it.</summary>
    public static string EventId(string source, SerialNumber serial, string? what = null)
    {
        string end = what is null ? "" : ":" + what;
        string id = $"{source}:{Convert.ToHexString(serial.Content)}{end}";

        // A serial of 80 octets and more, which no CA should issue: its hash names it as well.
        return id.Length <= StatusRules.MaxEventIdLength ? id : $"{source}:#{Convert.ToHexString(SHA256.HashData(serial.Content))}{end}";
    }

    private void CountUnchanged()
    {
        lock (_gate)
        {
            _progress = _progress with { Unchanged = _progress.Unchanged + 1 };
        }
    }

    private async ValueTask SubmitAsync(List<ImportedEvent> events, int lines, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_inFlight.Count == MaxBatchesInFlight)
        {
            await _inFlight.Dequeue().ConfigureAwait(false);
        }

        _inFlight.Enqueue(SettleAsync(events, lines, cancellationToken));
    }

    private async Task SettleAsync(List<ImportedEvent> events, int lines, CancellationToken cancellationToken)
    {
        IReadOnlyList<EventOutcome> outcomes = events.Count == 0
            ? []
            : await authority.SubmitAsync(issuer, [.. events.Select(one => one.Event!)], submitter, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            for (int i = 0; i < outcomes.Count; i++)
            {
                Count(outcomes[i], events[i].Line);
            }

            _progress = _progress with { Settled = _progress.Settled + lines };
            onProgress?.Invoke(_progress);
        }
    }

    // Also before an exception leaves: nothing goes on behind the caller's back.
    private async ValueTask DrainAsync()
    {
        Task[] rest = [.. _inFlight];
        _inFlight.Clear();
        await Task.WhenAll(rest).ConfigureAwait(false);
    }

    private void Count(EventOutcome outcome, long line)
    {
        switch (outcome.Kind)
        {
            case EventOutcomeKind.Applied:
                _progress = _progress with { Applied = _progress.Applied + 1 };
                break;
            case EventOutcomeKind.Duplicate:
                _progress = _progress with { Duplicates = _progress.Duplicates + 1 };
                break;
            default:
                Report(new ImportProblem(line, $"{(line == 0 ? outcome.EventId : $"Line {line}")} was refused: {outcome.Refusal!.Value.ToSentence()}."));
                break;
        }
    }
}
