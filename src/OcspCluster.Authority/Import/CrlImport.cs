using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// A CRL is a state, the journal is of events. As with an index (IndexImport), the import submits what leads from the one to the other:
//
//     recorded \ CRL | revoked               | on hold            | removeFromCRL (delta) | not in it
//     ---------------+-----------------------+--------------------+-----------------------+------------------------------------
//     unknown, good  | revoked               | held               | nothing               | nothing: good stays good
//     held           | revoked               | nothing            | released              | released, if a CRL put it on hold *
//     revoked        | what StatusRules lets | a problem          | nothing               | nothing: revoked is for good
//
// * Only by a later complete CRL without a scope. What is not in a partition may be in another one, what is not in a delta did not change, and what is not in an expired
//   CRL may be in the next. A hold that another source told of is not a CRL's to lift by silence. Nor does a CRL lift a hold that began after it was issued.
//
// A certificate of which only the CRL tells becomes known as revoked. Whether unknown ones are good is the issuer's Inventory to say, not the CRL's.
//
// What was taken is recorded when all of it is durable. An import that was killed has no record: it is done again, and its events, whose ids are made of the CRL's number
// and the serial, are duplicates.

/// <summary>What became of a CRL.</summary>
/// <param name="Refusal">Why it was not taken; null when it was, or there was nothing new in it.</param>
/// <param name="IsNews">Whether it was imported: false when it was refused, and when all of it had been taken before.</param>
/// <param name="Progress">What the import came to.</param>
/// <param name="Warning">What deserves a look though it was taken; null when nothing does.</param>
public sealed record CrlImportResult(CrlRefusal? Refusal, bool IsNews, ImportProgress Progress, string? Warning);

/// <summary>Brings an issuer's journal to what a CRL says.</summary>
public sealed class CrlImport
{
    private const string Prefix = "crl";
    private const int ChunkEntries = 262_144;
    private const int HeldPerPage = 1000;
    private const int MaxHistory = 100;

    private readonly IRevocationAuthority _authority;
    private readonly IssuerId _issuer;
    private readonly IReadOnlyList<X509Certificate2> _certificates;
    private readonly IRevocationStore _store;
    private readonly ICrlRecords _records;
    private readonly TimeProvider _clock;
    private readonly Submitter _submitter;
    private readonly Action<ImportProgress>? _onProgress;
    private ImportSink _sink;

    /// <summary>For one CRL after another, one at a time.</summary>
    /// <param name="authority">Takes the events.</param>
    /// <param name="issuer">Whose CRLs.</param>
    /// <param name="certificates">The issuer's certificates, all of one key.</param>
    /// <param name="store">The authority's.</param>
    /// <param name="records">What was taken before.</param>
    /// <param name="clock">The time.</param>
    /// <param name="submitter">Who imports it; null for this process.</param>
    /// <param name="onProgress">Called after each batch, one call at a time.</param>
    public CrlImport(
        IRevocationAuthority authority,
        IssuerId issuer,
        IReadOnlyList<X509Certificate2> certificates,
        IRevocationStore store,
        ICrlRecords records,
        TimeProvider clock,
        Submitter? submitter = null,
        Action<ImportProgress>? onProgress = null)
    {
        ArgumentNullException.ThrowIfNull(authority);
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(clock);
        (_authority, _issuer, _certificates, _store, _records, _clock) = (authority, issuer, certificates, store, records, clock);
        (_submitter, _onProgress) = (submitter ?? Submitter.Local, onProgress);
        _sink = new ImportSink(authority, issuer, _submitter, onProgress);
    }

    /// <summary>Records nothing of what was taken: for a dry run, whose authority records nothing either.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The entries of the last CRL that were not taken and why; at most 10,000.</summary>
    public IReadOnlyList<ImportProblem> Problems => _sink.Problems;

    /// <summary>Reads a CRL as the import does: a reason that RFC 5280 does not name is a revocation all the same.</summary>
    /// <exception cref="OcspFormatException">It is not one.</exception>
    public static CertificateList Decode(ReadOnlyMemory<byte> file) =>
        CertificateList.Decode(CertificateList.FromFile(file), new DecodeOptions { AcceptUnknownReasons = true });

    /// <summary>Verifies, judges and imports a CRL.</summary>
    /// <exception cref="RevocationStoreException">The store failed. What was recorded stays; run the import again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two appends. What was recorded stays.</exception>
    public async Task<CrlImportResult> RunAsync(CertificateList crl, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(crl);
        _sink = new ImportSink(_authority, _issuer, _submitter, _onProgress);
        if (CrlRules.FindForgery(crl, _certificates) is { } forgery)
        {
            return new CrlImportResult(forgery, false, default, null);
        }

        string scope = CrlRules.ScopeOf(crl);
        Digest digest = Digest.Of(crl.Encoded.Span);
        CrlRecord? last = await _records.FindAsync(_issuer, scope, cancellationToken).ConfigureAwait(false);
        CrlJudgement judgement = CrlRules.Judge(crl, digest, last, _clock.GetUtcNow());
        string? warning = judgement is { Refusal: null, IsExpired: true }
            ? string.Create(CultureInfo.InvariantCulture, $"The CRL ended at {crl.NextUpdate:u}: revocations are taken from it, releases are not. Get a newer one.")
            : null;
        if (judgement.Refusal is not null || !judgement.IsNews)
        {
            return new CrlImportResult(judgement.Refusal, false, default, warning);
        }

        bool releasesBySilence = !crl.IsDelta && scope.Length == 0 && !judgement.IsExpired;
        Dictionary<SerialNumber, CertificateStatus> silent = releasesBySilence ? await FindHeldAsync(cancellationToken).ConfigureAwait(false) : [];
        await ImportEntriesAsync(crl, scope, judgement.IsExpired, silent, cancellationToken).ConfigureAwait(false);
        await ReleaseAsync(crl, silent, cancellationToken).ConfigureAwait(false);
        if (!IsDryRun)
        {
            await _records.SaveAsync(_issuer, RecordOf(crl, scope, digest, last)).ConfigureAwait(false);
        }

        return new CrlImportResult(null, true, _sink.Progress, warning);
    }

    private CrlRecord RecordOf(CertificateList crl, string scope, Digest digest, CrlRecord? last) => new()
    {
        Scope = scope,
        Number = crl.CrlNumber,
        CompleteNumber = crl.IsDelta ? last!.CompleteNumber : crl.CrlNumber,
        ThisUpdate = crl.ThisUpdate,
        NextUpdate = crl.NextUpdate!.Value,
        Complete = crl.IsDelta ? last!.Complete : digest,
        Delta = crl.IsDelta ? digest : default,
        TakenAt = _clock.GetUtcNow(),
    };

    private async Task ImportEntriesAsync(
        CertificateList crl, string scope, bool isExpired, Dictionary<SerialNumber, CertificateStatus> silent, CancellationToken cancellationToken)
    {
        List<Entry> chunk = [];
        long number = 0;
        foreach (RevokedCertificate revoked in crl.RevokedCertificates)
        {
            _sink.CountLine();
            silent.Remove(revoked.SerialNumber);
            chunk.Add(new Entry(++number, revoked));
            if (chunk.Count == ChunkEntries)
            {
                await CompareAsync().ConfigureAwait(false);
                chunk.Clear();
            }
        }

        await CompareAsync().ConfigureAwait(false);

        ValueTask CompareAsync() => _sink.CompareAsync(
            _store, OnePerSerial(chunk), entry => entry.Revoked.SerialNumber, (entry, current, events) => Derive(crl, scope, isExpired, entry, current, events), cancellationToken);
    }

    // Sorted by serial. A CRL has each serial once; of one that has not, the strictest entry wins.
    private List<Entry> OnePerSerial(List<Entry> chunk)
    {
        List<Entry> kept = new(chunk.Count);
        foreach (Entry entry in chunk.OrderBy(entry => entry.Revoked.SerialNumber).ThenBy(entry => Leniency(entry.Revoked.Reason)).ThenBy(entry => entry.Revoked.RevocationDate))
        {
            if (kept is [.., var strictest] && strictest.Revoked.SerialNumber == entry.Revoked.SerialNumber)
            {
                _sink.Settle(new ImportProblem(entry.Number, $"Entry {entry.Number} has the serial number {entry.Revoked.SerialNumber} of entry {strictest.Number}, which counts instead."));
            }
            else
            {
                kept.Add(entry);
            }
        }

        return kept;
    }

    private static int Leniency(RevocationReason? reason) => reason switch
    {
        RevocationReason.RemoveFromCrl => 2,
        RevocationReason.CertificateHold => 1,
        _ => 0,
    };

    private ImportProblem? Derive(CertificateList crl, string scope, bool isExpired, Entry entry, CertificateStatus? current, List<ImportedEvent> events)
    {
        RevokedCertificate revoked = entry.Revoked;
        EventKind kind = revoked.Reason switch
        {
            RevocationReason.RemoveFromCrl => EventKind.Released,
            RevocationReason.CertificateHold => EventKind.Held,
            _ => EventKind.Revoked,
        };
        if (kind == EventKind.Released)
        {
            if (!isExpired && current is { State: CertificateState.Held } && current.RevocationTime <= crl.ThisUpdate)
            {
                events.Add(new ImportedEvent(entry.Number, Event(crl, scope, revoked.SerialNumber, kind, crl.ThisUpdate), null));
            }

            return null;
        }

        RevocationEvent @event = Event(crl, scope, revoked.SerialNumber, kind, revoked.RevocationDate) with
        {
            Reason = kind == EventKind.Revoked ? revoked.Reason : null,
            InvalidityDate = revoked.InvalidityDate,
        };
        switch (StatusRules.Apply(current, @event, _clock.GetUtcNow()).Refusal)
        {
            case EventRefusal.AlreadyRevoked when kind == EventKind.Held:
                return new ImportProblem(entry.Number, $"Entry {entry.Number} has serial number {revoked.SerialNumber} on hold; it is recorded as revoked, and that is for good.");
            case EventRefusal.AlreadyRevoked or EventRefusal.AlreadyHeld:
                return null;
            case { } refusal:
                return new ImportProblem(entry.Number, $"Entry {entry.Number}, serial number {revoked.SerialNumber}: {refusal.ToSentence()}.");
        }

        events.Add(new ImportedEvent(entry.Number, @event, null));
        return null;
    }

    private async Task<Dictionary<SerialNumber, CertificateStatus>> FindHeldAsync(CancellationToken cancellationToken)
    {
        Dictionary<SerialNumber, CertificateStatus> held = [];
        SerialNumber after = default;
        IReadOnlyList<RecordedCertificate> page;
        do
        {
            page = await _store.ListAsync(_issuer, CertificateState.Held, after, HeldPerPage, cancellationToken).ConfigureAwait(false);
            foreach (RecordedCertificate certificate in page)
            {
                held[certificate.Serial] = certificate.Status;
                after = certificate.Serial;
            }
        }
        while (page.Count == HeldPerPage);
        return held;
    }

    private async Task ReleaseAsync(CertificateList crl, Dictionary<SerialNumber, CertificateStatus> silent, CancellationToken cancellationToken)
    {
        List<ImportedEvent> released = [];
        foreach ((SerialNumber serial, CertificateStatus status) in silent.OrderBy(held => held.Key))
        {
            if (status.RevocationTime <= crl.ThisUpdate && await WasHeldByCrlAsync(serial, cancellationToken).ConfigureAwait(false))
            {
                released.Add(new ImportedEvent(0, Event(crl, "", serial, EventKind.Released, crl.ThisUpdate), null));
            }
        }

        await _sink.SubmitAllAsync(released, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> WasHeldByCrlAsync(SerialNumber serial, CancellationToken cancellationToken)
    {
        IReadOnlyList<JournalEntry> history = await _store.FindHistoryAsync(_issuer, serial, MaxHistory, cancellationToken).ConfigureAwait(false);
        return history.FirstOrDefault(entry => entry.Event.Kind == EventKind.Held)?.Event.Id.StartsWith(Prefix + ":", StringComparison.Ordinal) ?? false;
    }

    private static RevocationEvent Event(CertificateList crl, string scope, SerialNumber serial, EventKind kind, DateTimeOffset at)
    {
        string number = crl.CrlNumber?.ToString(CultureInfo.InvariantCulture) ?? "at-" + crl.ThisUpdate.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        return new RevocationEvent
        {
            Id = ImportSink.EventId(scope.Length == 0 ? $"{Prefix}:{number}" : $"{Prefix}.{scope}:{number}", serial, kind.ToString().ToLowerInvariant()),
            Serial = serial,
            Kind = kind,
            At = at,
        };
    }

    /// <summary>An entry and its place, from 1.</summary>
    private readonly record struct Entry(long Number, RevokedCertificate Revoked);
}
