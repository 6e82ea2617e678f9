using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>One line of an issuer's journal: an applied event, and the status that followed from it.</summary>
/// <param name="Position">1 for an issuer's first entry, then without gaps.</param>
/// <param name="Event">The event as the CA told it.</param>
/// <param name="ReceivedAt">When the authority received it, by the authority's clock.</param>
/// <param name="Status">The certificate's status after it; its <see cref="CertificateStatus.Position"/> is <paramref name="Position"/>.</param>
public sealed record JournalEntry(long Position, RevocationEvent Event, DateTimeOffset ReceivedAt, CertificateStatus Status)
{
    /// <summary>Who submitted the event, and from where.</summary>
    public Submitter Submitter { get; init; } = Submitter.Local;
}

/// <summary>The outcome of an append.</summary>
/// <param name="Appended">True: all entries are durable. False: the journal was not at the expected position and nothing was written.</param>
/// <param name="Position">The last position of the journal now.</param>
public readonly record struct AppendResult(bool Appended, long Position);

/// <summary>
/// The journal of every issuer and the statuses that follow from it, on something that survives a loss of power.
/// Thread-safe. Reads see every append that has returned.
/// </summary>
/// <remarks>
/// Everything of an entry is kept exactly, instants to the tick, but for <see cref="CertificateStatus.HoldsFor"/>: how long
/// an answer may be held is for the source that hands it out to say. Within one issuer no two entries have the same event id;
/// the caller sees to that (<see cref="FindEventsAsync"/>), and the store refuses an append that breaks it with an exception.
/// With each entry the store keeps its digest (<see cref="JournalHash"/>), which chains it to the one before; an
/// <see cref="IAuditStore"/> reads them back.
/// Every method may throw <see cref="RevocationStoreException"/>.
/// </remarks>
public interface IRevocationStore : IAsyncDisposable
{
    /// <summary>The last position of an issuer's journal; 0 when it is empty.</summary>
    ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>
    /// Appends entries and replaces the statuses of their certificates, all or nothing, and returns when they are on stable storage.
    /// </summary>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="expectedPosition">The position that the writer takes for the last one; anything else refuses the append (fencing).</param>
    /// <param name="entries">At least one, positions <paramref name="expectedPosition"/> + 1 and on. Several may concern one certificate; the last one's status stands.</param>
    /// <exception cref="RevocationStoreException">
    /// The write failed. Its outcome is unknown: read the position before trying again.
    /// </exception>
    /// <remarks>Takes no cancellation: half a revocation is worse than a slow one.</remarks>
    ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries);

    /// <summary>The status of one certificate; null when the journal does not speak of it.</summary>
    ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken);

    /// <summary>The statuses of many certificates of one issuer, in the order asked.</summary>
    ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken);

    /// <summary>For each event id, the entry that it made; null when the journal holds none of that id. In the order asked.</summary>
    ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken);

    /// <summary>The journal after a position, in order, as a stream of bounded memory.</summary>
    IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, CancellationToken cancellationToken);

    /// <summary>The certificates of an issuer, a page at a time, in the order of <see cref="SerialNumber.CompareTo"/>.</summary>
    /// <param name="issuer">Whose certificates.</param>
    /// <param name="state">Only those in this state; null for all.</param>
    /// <param name="after">Begin behind this one; the default value for the first page.</param>
    /// <param name="limit">The most to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <remarks>A page costs what is in it, however many certificates there are and wherever it begins; among good ones also the revoked and held ones that lie between.</remarks>
    ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(
        IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken);

    /// <summary>The journal entries of one certificate, newest first; empty when the journal does not speak of it.</summary>
    /// <param name="issuer">Whose certificate.</param>
    /// <param name="serial">The certificate.</param>
    /// <param name="limit">The most to return, at least 1.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken);

    /// <summary>How many certificates of an issuer are in each state.</summary>
    ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken);
}

/// <summary>A certificate that the journal speaks of.</summary>
/// <param name="Serial">Which one.</param>
/// <param name="Status">Its status now.</param>
public sealed record RecordedCertificate(SerialNumber Serial, CertificateStatus Status);

/// <summary>How many certificates are in each state.</summary>
/// <param name="Good">Issued and not revoked.</param>
/// <param name="Revoked">Revoked for good.</param>
/// <param name="Held">Suspended.</param>
public readonly record struct StatusCounts(long Good, long Revoked, long Held)
{
    /// <summary>With so many more in a state.</summary>
    public StatusCounts Add(CertificateState state, long difference) => state switch
    {
        CertificateState.Good => this with { Good = Good + difference },
        CertificateState.Revoked => this with { Revoked = Revoked + difference },
        _ => this with { Held = Held + difference },
    };
}

/// <summary>The store could not read or write. The message says what failed and what to do.</summary>
public sealed class RevocationStoreException : Exception
{
    /// <summary>With what failed and what to do.</summary>
    public RevocationStoreException(string message)
        : base(message)
    {
    }

    /// <summary>With what failed and what to do, and its cause.</summary>
    public RevocationStoreException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public RevocationStoreException()
    {
    }

    /// <summary>Whether another process has the store, and nothing else is wrong.</summary>
    public bool IsInUse { get; init; }

    /// <summary>The position of the journal entry that is damaged or missing; null when the failure is not one entry's.</summary>
    public long? Position { get; init; }
}
