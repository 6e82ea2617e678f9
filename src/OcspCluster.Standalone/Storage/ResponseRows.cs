using System.Formats.Asn1;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

// word      issuers' ids, certificates' digests, the part of CertIDs before the serial number and the end of answers behind the
//           signature (AnswerOctets), each with a number: a million answers repeat a handful of them.
// response  one row per answer. It keeps its row when it is replaced, so the file does not grow by refreshing.
// place     what an answer is replaced by, and how it is found.
// of_issuer the rows of an issuer in their order, for who reads them all. Without it each page of rows is found by looking at all of the issuer's and sorting them.
//
// Instants are seconds since 1970, for answers have no others; seal is the row's CRC-32C (see Seal).

/// <summary>The tables of kept answers, and what a row says.</summary>
internal static class ResponseRows
{
    public const string Columns = "id, serial, form, credential, is_default, position, produced_at, this_update, next_update, encoded, seal";

    /// <summary>Some rows of an issuer behind one: the issuer's number, the row's id, how many.</summary>
    public const string PageOfIssuer = $"SELECT {Columns} FROM response WHERE issuer = ? AND id > ? ORDER BY id LIMIT ?";

    private const int ApplicationId = 0x4F435352; // "OCSR"
    private const int Version = 1;

    /// <summary>The longest serial number that is kept; longer ones nobody issues (RFC 5280 §4.1.2.2), and 127 octets are where its length takes a second octet.</summary>
    private const int MaxSerialBytes = 127;

    public static void Prepare(SqliteDatabase database)
    {
        long version = database.QueryInt64("PRAGMA user_version");
        if (version != 0 && (version != Version || database.QueryInt64("PRAGMA application_id") != ApplicationId))
        {
            throw SqliteFailure.OtherVersion(database.File);
        }

        database.Execute("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            PRAGMA wal_autocheckpoint = 8000;
            PRAGMA journal_size_limit = 67108864;
            PRAGMA cache_size = -32768;
            """);
        if (version == 0)
        {
            database.Execute($"""
                BEGIN IMMEDIATE;
                CREATE TABLE word (id INTEGER PRIMARY KEY, octets BLOB NOT NULL UNIQUE);
                CREATE TABLE response (
                    id INTEGER PRIMARY KEY,
                    issuer INTEGER NOT NULL,
                    serial BLOB NOT NULL,
                    form INTEGER NOT NULL,
                    credential INTEGER NOT NULL,
                    is_default INTEGER NOT NULL,
                    position INTEGER NOT NULL,
                    produced_at INTEGER NOT NULL,
                    this_update INTEGER NOT NULL,
                    next_update INTEGER NOT NULL,
                    encoded BLOB NOT NULL,
                    seal INTEGER NOT NULL
                );
                CREATE UNIQUE INDEX place ON response (issuer, serial, form, credential);
                PRAGMA application_id = {ApplicationId};
                PRAGMA user_version = {Version};
                COMMIT
                """);
        }

        // Files that were made before it have it from now on.
        database.Execute("CREATE INDEX IF NOT EXISTS of_issuer ON response (issuer)");
    }

    public static byte[] WordOf(IssuerId issuer) => Encoding.UTF8.GetBytes(issuer.ToString());

    /// <summary>The part of a CertID before its serial number; empty when it cannot be told apart.</summary>
    public static ReadOnlySpan<byte> FormOf(KeptResponse response)
    {
        ReadOnlySpan<byte> content = response.CertId.Span;
        int serial = response.Serial.Content.Length;
        if (serial is 0 or > MaxSerialBytes || !AsnDecoder.TryReadEncodedValue(content, AsnEncodingRules.DER, out _, out int offset, out int length, out _) || length < serial + 2)
        {
            return default;
        }

        content = content.Slice(offset, length);
        return content[^serial..].SequenceEqual(response.Serial.Content) ? content[..^(serial + 2)] : default;
    }

    public static long SealOf(long issuer, long form, long credential, KeptResponse response)
    {
        Seal seal = new();
        seal.Add(issuer);
        seal.Add(response.Serial.Content);
        seal.Add(form);
        seal.Add(credential);
        seal.Add(response.IsDefault ? 1L : 0L);
        seal.Add(response.Position);
        seal.Add(response.ProducedAt.ToUnixTimeSeconds());
        seal.Add(response.ThisUpdate.ToUnixTimeSeconds());
        seal.Add(response.NextUpdate.ToUnixTimeSeconds());
        seal.Add(response.Encoded.Span);
        return seal.Value;
    }

    /// <summary>Reads a row; null when it is not what was written.</summary>
    public static KeptResponse? Read(SqliteStatement row, long issuer, Func<long, byte[]?> word)
    {
        (long form, long credential) = (row.GetInt64(2), row.GetInt64(3));
        ReadOnlySpan<byte> serial = row.GetBytes(1);
        if (word(form) is not { } prefix || word(credential) is not { Length: Digest.SizeInBytes } digest || serial.Length is 0 or > MaxSerialBytes
            || AnswerOctets.Join(row.GetBytes(9), word) is not { } encoded || !IsInstant(row.GetInt64(6)) || !IsInstant(row.GetInt64(7)) || !IsInstant(row.GetInt64(8)))
        {
            return null;
        }

        try
        {
            KeptResponse response = new()
            {
                Serial = SerialNumber.FromContent(serial),
                CertId = Join(prefix, serial),
                Credential = new Digest(digest),
                IsDefault = row.GetInt64(4) != 0,
                Position = row.GetInt64(5),
                ProducedAt = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(6)),
                ThisUpdate = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(7)),
                NextUpdate = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(8)),
                Encoded = encoded,
            };
            return SealOf(issuer, form, credential, response) == row.GetInt64(10) ? response : null;
        }
        catch (Exception e) when (e is ArgumentException or AsnContentException)
        {
            return null; // octets that are no serial number, or no elements of a CertID
        }
    }

    private static bool IsInstant(long seconds) => seconds is >= 0 and <= 253_402_300_799; // the end of year 9999

    private static byte[] Join(byte[] prefix, ReadOnlySpan<byte> serial)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            ReadOnlySpan<byte> rest = prefix;
            while (!rest.IsEmpty)
            {
                AsnDecoder.ReadEncodedValue(rest, AsnEncodingRules.DER, out _, out _, out int length);
                writer.WriteEncodedValue(rest[..length]);
                rest = rest[length..];
            }

            writer.WriteInteger(serial);
        }

        return writer.Encode();
    }
}
