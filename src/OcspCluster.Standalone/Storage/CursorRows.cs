using System.Text;
using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

/// <summary>How delivery cursors lie in their rows, read or written on one connection. For one thread at a time.</summary>
internal sealed class CursorRows(SqliteDatabase database)
{
    private const string Columns = "position, intended, holder, held_until, paused, seal";

    private readonly SqliteStatement _find = database.Prepare($"SELECT {Columns} FROM delivery WHERE receiver = ? AND issuer = ?");
    private SqliteStatement? _replace; // not on a connection that cannot write

    /// <summary>
    /// All cursors, for a rebuild. One that is damaged is at the beginning, and paused: to tell everything again loses nothing, and an operator may know better.
    /// </summary>
    public static IReadOnlyList<(string Receiver, IssuerId Issuer, DeliveryCursor Cursor)> ReadAll(SqliteDatabase database)
    {
        List<(string, IssuerId, DeliveryCursor)> cursors = [];
        using SqliteStatement rows = database.Prepare($"SELECT {Columns}, receiver, issuer FROM delivery ORDER BY receiver, issuer");
        while (rows.Step())
        {
            (string receiver, string issuer) = (rows.GetText(6), rows.GetText(7));
            if (receiver.Length > 0 && IssuerId.IsValid(issuer))
            {
                cursors.Add((receiver, new IssuerId(issuer), TryRead(rows, receiver, issuer)
                    ?? DeliveryCursor.At(0) with { PausedBecause = "The store had lost how far it was: resume it behind the position that the receiver has last seen." }));
            }
        }

        return cursors;
    }

    /// <summary>The cursor of a receiver in an issuer's journal; null when there is none.</summary>
    public DeliveryCursor? Find(string receiver, IssuerId issuer)
    {
        try
        {
            return _find.BindText(1, receiver).BindText(2, issuer.ToString()).Step()
                ? TryRead(_find, receiver, issuer.ToString()) ?? throw SqliteFailure.DamagedRow($"the delivery cursor of '{receiver}' in the journal of '{issuer}'", database.File)
                : null;
        }
        finally
        {
            _find.Reset();
        }
    }

    /// <summary>Writes a cursor in the open transaction, in place of the one that is there.</summary>
    public void Replace(string receiver, IssuerId issuer, DeliveryCursor cursor)
    {
        _replace ??= database.Prepare($"REPLACE INTO delivery (receiver, issuer, {Columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        _replace.BindText(1, receiver).BindText(2, issuer.ToString()).Bind(3, cursor.Position).Bind(4, cursor.IntendedPosition)
            .BindText(5, cursor.Holder.Length > 0 ? cursor.Holder : null).Bind(6, cursor.HeldUntil.UtcTicks).BindText(7, cursor.PausedBecause).Bind(8, SealOf(cursor, receiver, issuer.ToString())).Run();
    }

    private static DeliveryCursor? TryRead(SqliteStatement row, string receiver, string issuer)
    {
        long heldUntil = Math.Clamp(row.GetInt64(3), 0, DateTimeOffset.MaxValue.UtcTicks);
        DeliveryCursor cursor = new(row.GetInt64(0), row.GetInt64(1), row.GetText(2), new DateTimeOffset(heldUntil, TimeSpan.Zero), row.IsNull(4) ? null : row.GetText(4));
        return row.GetInt64(5) == SealOf(cursor, receiver, issuer) ? cursor : null;
    }

    private static long SealOf(DeliveryCursor cursor, string receiver, string issuer)
    {
        Seal seal = new();
        seal.Add(Encoding.UTF8.GetBytes(receiver));
        seal.Add(Encoding.UTF8.GetBytes(issuer));
        seal.Add(cursor.Position);
        seal.Add(cursor.IntendedPosition);
        seal.Add(Encoding.UTF8.GetBytes(cursor.Holder));
        seal.Add(cursor.HeldUntil.UtcTicks);
        seal.AddOptional(Encoding.UTF8.GetBytes(cursor.PausedBecause ?? ""), cursor.PausedBecause is not null);
        return seal.Value;
    }
}
