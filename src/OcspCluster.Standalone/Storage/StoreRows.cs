using System.Buffers;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>How entries and statuses lie in their rows: the one place that knows the order of the columns.</summary>
internal static class StoreRows
{
    /// <summary>The columns of a status row, in the order of <see cref="ReadStatus"/>.</summary>
    public const string StatusColumns = "state, revocation_time, reason, invalidity_date, not_after, recorded_at, position, seal";

    /// <summary>The columns of a journal row, in the order of <see cref="ReadEntryFields"/>.</summary>
    public const string EntryColumns =
        "key, event_id, serial, kind, at, reason, invalidity_date, not_after, received_at, " +
        "state, state_revocation_time, state_reason, state_invalidity_date, state_not_after, state_recorded_at, " +
        "credential, remote_address, hash, seal";

    /// <summary>The columns of an issuer's row after its name, in the order of <see cref="ReadIssuer"/>.</summary>
    public const string IssuerColumns = "id, position, good, revoked, held, hash, seal";

    /// <summary>How far an issuer's number is shifted in the key of an entry.</summary>
    public const int PositionBits = 40;

    /// <summary>The highest position that an issuer's journal can reach.</summary>
    public const long MaxPosition = (1L << PositionBits) - 1;

    /// <summary>The key of an entry.</summary>
    public static long Key(long issuer, long position) => (issuer << PositionBits) | position;

    /// <summary>The seal of an issuer's row.</summary>
    public static long SealIssuer(in IssuerRow row, ReadOnlySpan<byte> name)
    {
        Seal seal = new();
        seal.Add(row.Id);
        seal.Add(name);
        seal.Add(row.Position);
        seal.Add(row.Counts.Good);
        seal.Add(row.Counts.Revoked);
        seal.Add(row.Counts.Held);
        Add(ref seal, row.Head);
        return seal.Value;
    }

    /// <summary>Reads <see cref="IssuerColumns"/>.</summary>
    /// <exception cref="RevocationStoreException">The row is damaged.</exception>
    public static IssuerRow ReadIssuer(SqliteStatement row, ReadOnlySpan<byte> name, string file)
    {
        IssuerRow issuer = new(
            row.GetInt64(0), row.GetInt64(1), new StatusCounts(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), ReadDigest(row, 5, "an issuer's row", file));
        return row.GetInt64(6) == SealIssuer(issuer, name) ? issuer : throw SqliteFailure.DamagedRow("an issuer's row", file);
    }

    /// <summary>Binds <c>issuer, serial</c> and <see cref="StatusColumns"/> to the parameters from 1.</summary>
    public static void BindStatus(SqliteStatement statement, long issuer, SerialNumber serial, CertificateStatus status)
    {
        Seal seal = new();
        seal.Add(issuer);
        seal.Add(serial.Content);
        SealStatus(ref seal, status);
        seal.Add(status.Position);

        statement.Bind(1, issuer).Bind(2, serial.Content);
        BindState(statement, 3, status);
        statement.Bind(9, status.Position).Bind(10, seal.Value);
    }

    /// <summary>Reads <see cref="StatusColumns"/>.</summary>
    /// <exception cref="RevocationStoreException">The row is damaged.</exception>
    public static CertificateStatus ReadStatus(SqliteStatement row, long issuer, SerialNumber serial, string file)
    {
        CertificateStatus status = ReadState(row, 0, row.GetInt64(6), file);
        Seal seal = new();
        seal.Add(issuer);
        seal.Add(serial.Content);
        SealStatus(ref seal, status);
        seal.Add(status.Position);
        return seal.Value == row.GetInt64(7) ? status : throw SqliteFailure.DamagedRow($"the status of serial {serial}", file);
    }

    /// <summary>Binds <c>issuer</c> and <see cref="EntryColumns"/> to the parameters from 1.</summary>
    public static void BindEntry(SqliteStatement statement, long issuer, JournalEntry entry, in Digest hash)
    {
        RevocationEvent @event = entry.Event;
        int maxBytes = Encoding.UTF8.GetMaxByteCount(@event.Id.Length);
        byte[]? rented = null;
        Span<byte> id = maxBytes <= 1024 ? stackalloc byte[1024] : rented = ArrayPool<byte>.Shared.Rent(maxBytes);
        id = id[..Encoding.UTF8.GetBytes(@event.Id, id)];

        statement.Bind(1, issuer).Bind(2, Key(issuer, entry.Position)).BindText(3, id).Bind(4, @event.Serial.Content).Bind(5, (long)@event.Kind);
        statement.Bind(6, @event.At.UtcTicks).Bind(7, (long?)@event.Reason).Bind(8, @event.InvalidityDate?.UtcTicks).Bind(9, @event.NotAfter?.UtcTicks);
        statement.Bind(10, entry.ReceivedAt.UtcTicks);
        BindState(statement, 11, entry.Status);
        statement.BindText(17, entry.Submitter.Credential).BindText(18, entry.Submitter.RemoteAddress);
        statement.Bind(19, hash.ToArray()).Bind(20, SealEntry(issuer, entry, id, hash));
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Reads <see cref="EntryColumns"/> without the entry's digest.</summary>
    /// <exception cref="RevocationStoreException">The row is damaged.</exception>
    public static JournalEntry ReadEntry(SqliteStatement row, long issuer, string file) => ReadEntry(row, issuer, file, out _);

    /// <summary>Reads <see cref="EntryColumns"/>.</summary>
    /// <exception cref="RevocationStoreException">The row is damaged.</exception>
    public static JournalEntry ReadEntry(SqliteStatement row, long issuer, string file, out Digest hash)
    {
        JournalEntry entry = ReadEntryFields(row, issuer, file);
        hash = ReadDigest(row, 17, $"journal entry {entry.Position}", file);
        entry = entry with { Submitter = ReadSubmitter(row, 15, entry.Position, file) };
        return SealEntry(issuer, entry, row.GetBytes(1), hash) == row.GetInt64(18) ? entry : throw Damaged(entry.Position, file);
    }

    /// <summary>Reads those of <see cref="EntryColumns"/> that an entry had in schema version 1, without looking at a seal; its submitter is unknown.</summary>
    /// <exception cref="RevocationStoreException">They cannot be an entry.</exception>
    public static JournalEntry ReadEntryFields(SqliteStatement row, long issuer, string file)
    {
        long position = row.GetInt64(0) & MaxPosition;
        ReadOnlySpan<byte> serial = row.GetBytes(2);
        if (row.GetInt64(0) != Key(issuer, position) || !SerialNumber.IsMinimal(serial))
        {
            throw Damaged(position, file);
        }

        RevocationEvent @event = new()
        {
            Id = row.GetText(1),
            Serial = SerialNumber.FromContent(serial),
            Kind = (EventKind)Required(ReadInt32(row, 3, file), file),
            At = Required(ReadInstant(row, 4, file), file),
            Reason = (RevocationReason?)ReadInt32(row, 5, file),
            InvalidityDate = ReadInstant(row, 6, file),
            NotAfter = ReadInstant(row, 7, file),
        };
        DateTimeOffset receivedAt = Required(ReadInstant(row, 8, file), file);
        return new JournalEntry(position, @event, receivedAt, ReadState(row, 9, position, file)) { Submitter = Submitter.Unknown };
    }

    /// <summary>Reads a digest.</summary>
    /// <exception cref="RevocationStoreException">The column has another length.</exception>
    public static Digest ReadDigest(SqliteStatement row, int column, string what, string file)
    {
        ReadOnlySpan<byte> octets = row.GetBytes(column);
        return octets.Length == Digest.SizeInBytes ? new Digest(octets) : throw SqliteFailure.DamagedRow(what, file);
    }

    private static Submitter ReadSubmitter(SqliteStatement row, int first, long position, string file)
    {
        string? credential = row.IsNull(first) ? null : row.GetText(first);
        string? remoteAddress = row.IsNull(first + 1) ? null : row.GetText(first + 1);
        if (credential is null && remoteAddress == Submitter.Local.RemoteAddress)
        {
            return Submitter.Local;
        }

        try
        {
            return new Submitter(credential, remoteAddress);
        }
        catch (ArgumentException)
        {
            throw Damaged(position, file);
        }
    }

    private static void BindState(SqliteStatement statement, int first, CertificateStatus status)
    {
        statement.Bind(first, (long)status.State).Bind(first + 1, status.RevocationTime?.UtcTicks).Bind(first + 2, (long?)status.Reason);
        statement.Bind(first + 3, status.InvalidityDate?.UtcTicks).Bind(first + 4, status.NotAfter?.UtcTicks).Bind(first + 5, status.RecordedAt?.UtcTicks);
    }

    private static CertificateStatus ReadState(SqliteStatement row, int first, long position, string file) => new()
    {
        State = (CertificateState)Required(ReadInt32(row, first, file), file),
        RevocationTime = ReadInstant(row, first + 1, file),
        Reason = (RevocationReason?)ReadInt32(row, first + 2, file),
        InvalidityDate = ReadInstant(row, first + 3, file),
        NotAfter = ReadInstant(row, first + 4, file),
        RecordedAt = ReadInstant(row, first + 5, file),
        Position = position,
    };

    private static void SealStatus(ref Seal seal, CertificateStatus status)
    {
        seal.Add((long)status.State);
        seal.Add(status.RevocationTime?.UtcTicks);
        seal.Add((long?)status.Reason);
        seal.Add(status.InvalidityDate?.UtcTicks);
        seal.Add(status.NotAfter?.UtcTicks);
        seal.Add(status.RecordedAt?.UtcTicks);
    }

    /// <summary>The seal of an entry's row; <paramref name="id"/> are the octets of its event id.</summary>
    public static long SealEntry(long issuer, JournalEntry entry, ReadOnlySpan<byte> id, in Digest hash)
    {
        Seal seal = new();
        SealEntryOfVersion1(ref seal, issuer, entry, id);
        AddText(ref seal, entry.Submitter.Credential);
        AddText(ref seal, entry.Submitter.RemoteAddress);
        Add(ref seal, hash);
        return seal.Value;
    }

    /// <summary>What the rows of schema version 1 were sealed with.</summary>
    public static void SealEntryOfVersion1(ref Seal seal, long issuer, JournalEntry entry, ReadOnlySpan<byte> id)
    {
        RevocationEvent @event = entry.Event;
        seal.Add(issuer);
        seal.Add(entry.Position);
        seal.Add(id);
        seal.Add(@event.Serial.Content);
        seal.Add((long)@event.Kind);
        seal.Add(@event.At.UtcTicks);
        seal.Add((long?)@event.Reason);
        seal.Add(@event.InvalidityDate?.UtcTicks);
        seal.Add(@event.NotAfter?.UtcTicks);
        seal.Add(entry.ReceivedAt.UtcTicks);
        SealStatus(ref seal, entry.Status);
    }

    private static void AddText(ref Seal seal, string? text)
    {
        Span<byte> utf8 = stackalloc byte[(Math.Max(Submitter.MaxCredentialLength, Submitter.MaxRemoteAddressLength) + 1) * 3];
        seal.AddOptional(utf8[..Encoding.UTF8.GetBytes(text ?? "", utf8)], isPresent: text is not null);
    }

    private static void Add(ref Seal seal, in Digest digest)
    {
        Span<byte> octets = stackalloc byte[Digest.SizeInBytes];
        digest.CopyTo(octets);
        seal.Add(octets);
    }

    // NOT NULL holds for what SQLite writes, not for what a bad sector makes of it.
    private static T Required<T>(T? value, string file)
        where T : struct => value ?? throw SqliteFailure.DamagedRow("a column that cannot be empty", file);

    // A cast to an enumeration would drop the upper half unseen.
    private static int? ReadInt32(SqliteStatement row, int column, string file) => row.GetNullableInt64(column) switch
    {
        null => null,
        >= int.MinValue and <= int.MaxValue and var value => (int)value,
        _ => throw SqliteFailure.DamagedRow("a kind, state or reason", file),
    };

    private static DateTimeOffset? ReadInstant(SqliteStatement row, int column, string file)
    {
        long? ticks = row.GetNullableInt64(column);
        return ticks switch
        {
            null => null,
            >= 0 and <= 3_155_378_975_999_999_999 => new DateTimeOffset(ticks.Value, TimeSpan.Zero), // DateTimeOffset.MaxValue
            _ => throw SqliteFailure.DamagedRow("an instant", file),
        };
    }

    private static RevocationStoreException Damaged(long position, string file) =>
        SqliteFailure.DamagedEntry(position, "does not match its checksum", file);
}

/// <summary>An issuer's row: the number that stands for it in the other tables, its last position, its counts, and the digest of its last entry.</summary>
internal readonly record struct IssuerRow(long Id, long Position, StatusCounts Counts, Digest Head);
