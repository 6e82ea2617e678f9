namespace OcspCluster.Authority;

/// <summary>Tells every gateway what changed.</summary>
public interface IResponsePublisher
{
    /// <summary>
    /// Returns when no gateway can show a status older than these entries: each has dropped or replaced what it had, or its lease has run out.
    /// </summary>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="entries">Durable entries, in order and without gaps.</param>
    /// <remarks>
    /// Called by one <see cref="IssuerSequencer"/> at a time per issuer. The same entries may come twice, after a failure or an unknown outcome.
    /// An exception means that some gateway may still show the old status: the events are durable, and not acknowledged.
    /// </remarks>
    ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries);

    /// <summary>
    /// Returns when no gateway can show a status older than the journal up to a position, of which the caller does not know what was published: it has just begun to write.
    /// </summary>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="position">The journal's last position, as the caller found it.</param>
    /// <remarks>By default nothing is done: where the only gateway lives and dies with the writer, a writer that begins finds one that knows nothing older.</remarks>
    ValueTask PublishThroughAsync(IssuerId issuer, long position) => ValueTask.CompletedTask;
}
