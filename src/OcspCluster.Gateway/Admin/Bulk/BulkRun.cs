using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// The certificates that were issued within a time are found by reading the journal from its beginning: the time that counts is the one that the CA told, which need not
// rise with the position, and an index on it would cost every issuance of every import for what is done once in years (docs/decisions/0016 has the figures). A call that
// was cut off reads it again; what it had done is then a duplicate.

/// <summary>Does one thing to many certificates, in chunks: bounded memory for any number of them.</summary>
internal sealed class BulkRun(IRevocationAuthority authority, Issuer issuer, IRevocationStore store, BulkRequest request, Submitter submitter, TimeProvider clock, ProgressLines lines)
{
    private const int ChunkSerials = 4096;
    private const int MaxRefusalsTold = 10_000;
    private const int MaxSamples = 10;

    private readonly SortedDictionary<string, long> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _samples = new(StringComparer.Ordinal);
    private long _serials;
    private long _applied;
    private long _duplicates;
    private long _malformed;
    private long _unissued;
    private long _told;
    private long _position;

    /// <summary>Runs over serials and tells what became of them.</summary>
    /// <exception cref="RevocationStoreException">The outcome of some is unknown.</exception>
    public async Task RunAsync(IAsyncEnumerable<ImportedSerial> serials, CancellationToken cancellationToken)
    {
        await using DryRunStore dryRun = new(store, ownsStore: false);
        IRevocationStore target = request.IsDryRun ? dryRun : store;
        IRevocationAuthority taker = request.IsDryRun ? DryRunStore.CreateAuthority(issuer.Id, dryRun, clock) : authority;
        List<ImportedSerial> chunk = new(ChunkSerials);
        await foreach (ImportedSerial serial in serials.ConfigureAwait(false))
        {
            if (serial.Problem is string problem)
            {
                _serials++;
                _malformed++;
                Tell(serial.Line, null, "malformed", problem);
                continue;
            }

            chunk.Add(serial);
            if (chunk.Count == ChunkSerials)
            {
                await SubmitAsync(taker, target, chunk, cancellationToken).ConfigureAwait(false);
                chunk.Clear();
            }
        }

        await SubmitAsync(taker, target, chunk, cancellationToken).ConfigureAwait(false);
        lines.Write("summary", writer =>
        {
            WriteCounts(writer);
            writer.WriteStartObject("samples");
            foreach ((string outcome, List<string> some) in _samples)
            {
                writer.WriteStartArray(outcome);
                some.ForEach(writer.WriteStringValue);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
    }

    /// <summary>The serials that the CA told to have been issued within the request's times, in the order of the journal as it is now.</summary>
    public async IAsyncEnumerable<ImportedSerial> FindIssuedAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long end = await store.GetPositionAsync(issuer.Id, cancellationToken).ConfigureAwait(false); // what this run appends is not read again
        await foreach (JournalEntry entry in store.ReadJournalAsync(issuer.Id, 0, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Position > end)
            {
                yield break;
            }

            if (entry.Event.Kind == EventKind.Issued && !(entry.Event.At < request.IssuedFrom) && !(entry.Event.At >= request.IssuedTo))
            {
                yield return new ImportedSerial(entry.Position, entry.Event.Serial, null);
            }
        }
    }

    private async ValueTask SubmitAsync(IRevocationAuthority taker, IRevocationStore target, List<ImportedSerial> chunk, CancellationToken cancellationToken)
    {
        // Each serial once in a chunk, in the store's order: a list may name one twice, which is then a duplicate of itself.
        ImportedSerial[] sorted = [.. chunk.OrderBy(one => one.Serial)];
        if (sorted.Length == 0)
        {
            return;
        }

        IReadOnlyList<CertificateStatus?> statuses = await target.FindStatusesAsync(issuer.Id, [.. sorted.Select(one => one.Serial)], cancellationToken).ConfigureAwait(false);
        IReadOnlyList<EventOutcome> outcomes = await taker.SubmitAsync(issuer.Id, [.. sorted.Select(one => request.Event(one.Serial))], submitter, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < sorted.Length; i++)
        {
            Count(sorted[i], outcomes[i], statuses[i] is null);
        }

        lines.WriteProgress(WriteCounts);
    }

    private void Count(ImportedSerial serial, EventOutcome outcome, bool isUnissued)
    {
        _serials++;
        _position = Math.Max(_position, outcome.Position);
        switch (outcome.Kind)
        {
            case EventOutcomeKind.Applied:
                _applied++;
                _unissued += isUnissued ? 1 : 0;
                Sample(isUnissued ? "appliedUnissued" : "applied", serial.Serial);
                break;
            case EventOutcomeKind.Duplicate:
                _duplicates++;
                Sample("duplicate", serial.Serial);
                break;
            default:
                string name = OutcomeWriter.NameOf(outcome.Refusal!.Value);
                _refused[name] = _refused.GetValueOrDefault(name) + 1;
                Sample(name, serial.Serial);
                Tell(serial.Line, serial.Serial, name, outcome.Refusal.Value.ToSentence());
                break;
        }
    }

    private void Sample(string outcome, SerialNumber serial)
    {
        if (!_samples.TryGetValue(outcome, out List<string>? some))
        {
            _samples[outcome] = some = [];
        }

        if (some.Count < MaxSamples)
        {
            some.Add(serial.ToString());
        }
    }

    private void Tell(long line, SerialNumber? serial, string reason, string detail)
    {
        if (_told++ >= MaxRefusalsTold)
        {
            return;
        }

        lines.Write("refused", writer =>
        {
            writer.WriteNumber("line", line);
            if (serial is { } known)
            {
                writer.WriteString("serial", known.ToString());
            }

            writer.WriteString("reason", reason);
            writer.WriteString("detail", detail);
        });
    }

    private void WriteCounts(Utf8JsonWriter writer)
    {
        writer.WriteString("id", request.Id);
        writer.WriteBoolean("dryRun", request.IsDryRun);
        writer.WriteNumber("serials", _serials);
        writer.WriteNumber("applied", _applied);
        writer.WriteNumber("duplicate", _duplicates);
        writer.WriteNumber("refused", _refused.Values.Sum());
        writer.WriteNumber("malformed", _malformed);
        writer.WriteNumber("unissued", _unissued);
        writer.WriteNumber("position", _position);
        writer.WriteStartObject("refusals");
        foreach ((string name, long count) in _refused)
        {
            writer.WriteNumber(name, count);
        }

        writer.WriteEndObject();
    }
}
