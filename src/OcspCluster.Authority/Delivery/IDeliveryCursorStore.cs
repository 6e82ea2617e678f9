namespace OcspCluster.Authority;

/// <summary>How far a receiver has been told an issuer's journal, and who tells it. Immutable; compared by value.</summary>
/// <param name="Position">Everything up to here is delivered, or not for this receiver.</param>
/// <param name="IntendedPosition">
/// The end of the message that is under way, or <paramref name="Position"/> when none is. Recorded before it is sent, so that whoever has to send it again sends the same message.
/// </param>
/// <param name="Holder">The host that delivers; empty when none does.</param>
/// <param name="HeldUntil">Until when no other host does: the end of the holder's lease.</param>
/// <param name="PausedBecause">Why nothing is delivered until an operator says so; null when it is.</param>
public sealed record DeliveryCursor(long Position, long IntendedPosition, string Holder, DateTimeOffset HeldUntil, string? PausedBecause)
{
    /// <summary>The longest <see cref="PausedBecause"/>, in characters.</summary>
    public const int MaxReasonLength = 500;

    /// <summary>A cursor that nobody holds.</summary>
    public static DeliveryCursor At(long position) => new(position, position, "", DateTimeOffset.UnixEpoch, null);
}

/// <summary>
/// Where receivers of the journal are, on something that survives a loss of power. With the journal it is the whole outbox: what lies behind a cursor is still to be delivered.
/// Thread-safe. Reads see every move that has returned. Every method may throw <see cref="RevocationStoreException"/>.
/// </summary>
/// <remarks>A cursor is moved by comparison only, so of several hosts that took a lease for theirs one moves it, and the others learn that it is not theirs.</remarks>
public interface IDeliveryCursorStore
{
    /// <summary>Where a receiver is; null when it has never been anywhere.</summary>
    /// <param name="receiver">The operator's name of it.</param>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<DeliveryCursor?> FindCursorAsync(string receiver, IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>Replaces a cursor, and returns when the new one is on stable storage.</summary>
    /// <param name="receiver">The operator's name of it.</param>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="expected">What the caller takes for the cursor now, all of it; null for none.</param>
    /// <param name="next">The new one. Instants are kept to the tick.</param>
    /// <returns>False when the cursor was another one, and is as it was.</returns>
    /// <remarks>Takes no cancellation: the outcome would be unknown.</remarks>
    ValueTask<bool> TryMoveCursorAsync(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next);
}
