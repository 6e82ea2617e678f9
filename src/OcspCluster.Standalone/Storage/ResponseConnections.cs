using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>The connection that writes kept answers. For one thread at a time.</summary>
internal sealed class ResponseWriter : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _findWord;
    private readonly SqliteStatement _insertWord;
    private readonly SqliteStatement _upsert;
    private readonly ResponseSweep _sweep;
    private readonly Dictionary<byte[], long> _words = new(new OctetsComparer());
    private readonly Dictionary<byte[], long>.AlternateLookup<ReadOnlySpan<byte>> _wordsBySpan;
    private readonly Dictionary<long, (byte[] Octets, long Word)> _endings = []; // of the answers of a credential
    private byte[] _stored = new byte[1024];

    private ResponseWriter(SqliteDatabase database)
    {
        _database = database;
        _findWord = database.Prepare("SELECT id FROM word WHERE octets = ?");
        _insertWord = database.Prepare("INSERT INTO word (octets) VALUES (?)");
        _upsert = database.Prepare("""
            INSERT INTO response (issuer, serial, form, credential, is_default, position, produced_at, this_update, next_update, encoded, seal)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (issuer, serial, form, credential) DO UPDATE SET is_default = excluded.is_default, position = excluded.position, produced_at = excluded.produced_at,
                this_update = excluded.this_update, next_update = excluded.next_update, encoded = excluded.encoded, seal = excluded.seal
            """);
        _sweep = new ResponseSweep(database);
        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Opens the file, and makes it where it is missing.</summary>
    public static ResponseWriter Open(string file)
    {
        SqliteDatabase database = SqliteDatabase.Open(file, readOnly: false);
        try
        {
            ResponseRows.Prepare(database);
            return new ResponseWriter(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public void Save(IssuerId issuer, IReadOnlyList<KeptResponse> responses, DateTimeOffset now) => InTransaction(() =>
    {
        long issuerWord = WordOf(ResponseRows.WordOf(issuer));
        Span<byte> credential = stackalloc byte[Digest.SizeInBytes];
        for (int i = 0; i < responses.Count; i++)
        {
            KeptResponse response = responses[i];
            ReadOnlySpan<byte> form = ResponseRows.FormOf(response);
            if (form.IsEmpty)
            {
                continue; // a serial number that no CA issues: its answer is signed when somebody asks
            }

            response.Credential.CopyTo(credential);
            (long formWord, long credentialWord, long nextUpdate) = (WordOf(form), WordOf(credential), response.NextUpdate.ToUnixTimeSeconds());
            _upsert.Bind(1, issuerWord).Bind(2, response.Serial.Content).Bind(3, formWord).Bind(4, credentialWord).Bind(5, response.IsDefault ? 1L : 0L).Bind(6, response.Position);
            _upsert.Bind(7, response.ProducedAt.ToUnixTimeSeconds()).Bind(8, response.ThisUpdate.ToUnixTimeSeconds()).Bind(9, nextUpdate);
            _upsert.Bind(10, OctetsOf(response, credentialWord)).Bind(11, ResponseRows.SealOf(issuerWord, formWord, credentialWord, response)).Run();
            _sweep.Saved(nextUpdate);
        }

        _sweep.Run(responses.Count, now);
    });

    public void Dispose() => _database.Dispose();

    // What is to be kept of an answer, until the next one's.
    private ReadOnlySpan<byte> OctetsOf(KeptResponse response, long credential)
    {
        ReadOnlySpan<byte> encoded = response.Encoded.Span;
        if (!_endings.TryGetValue(credential, out (byte[] Octets, long Word) ending) || !encoded.EndsWith(ending.Octets))
        {
            int from = AnswerOctets.SharedFrom(encoded);
            if (from == encoded.Length)
            {
                return AnswerOctets.Whole(encoded);
            }

            _endings[credential] = ending = (encoded[from..].ToArray(), WordOf(encoded[from..]));
        }

        int length = encoded.Length - ending.Octets.Length;
        if (_stored.Length < AnswerOctets.MarkBytes + length)
        {
            _stored = new byte[2 * (AnswerOctets.MarkBytes + length)];
        }

        AnswerOctets.WithoutEnd(encoded[..length], ending.Word, _stored);
        return _stored.AsSpan(0, AnswerOctets.MarkBytes + length);
    }

    private long WordOf(ReadOnlySpan<byte> octets)
    {
        if (!_wordsBySpan.TryGetValue(octets, out long number))
        {
            number = Find(octets) ?? Insert(octets);
            _wordsBySpan[octets] = number;
        }

        return number;
    }

    private long? Find(ReadOnlySpan<byte> octets)
    {
        long? id = _findWord.Bind(1, octets).Step() ? _findWord.GetInt64(0) : null;
        _findWord.Reset();
        return id;
    }

    private long Insert(ReadOnlySpan<byte> octets)
    {
        _insertWord.Bind(1, octets).Run();
        return Find(octets)!.Value;
    }

    // After a failure the connection is closed, which rolls back; the words that were numbered in vain go with it.
    private void InTransaction(Action write)
    {
        _database.Execute("BEGIN IMMEDIATE");
        write();
        _database.Execute("COMMIT");
    }
}

/// <summary>Some rows of an issuer's answers. <see cref="Rows"/> counts damaged ones, too, which are passed over.</summary>
internal readonly record struct ResponsePage(IReadOnlyList<KeptResponse> Responses, int Rows, long Last)
{
    public static ResponsePage Empty { get; } = new([], 0, 0);
}

/// <summary>A read-only connection to kept answers. For one thread at a time.</summary>
internal sealed class ResponseReader : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _findWord;
    private readonly SqliteStatement _readWord;
    private readonly SqliteStatement _find;
    private readonly SqliteStatement _page;
    private readonly Dictionary<IssuerId, long> _issuers = []; // a word's number never changes
    private readonly Dictionary<long, byte[]> _words = [];

    private ResponseReader(SqliteDatabase database, int generation)
    {
        _database = database;
        Generation = generation;
        database.Execute("PRAGMA cache_size = -4096"); // the rest is in the system's page cache, once for all readers
        _findWord = database.Prepare("SELECT id FROM word WHERE octets = ?");
        _readWord = database.Prepare("SELECT octets FROM word WHERE id = ?");
        _find = database.Prepare($"SELECT {ResponseRows.Columns} FROM response WHERE issuer = ? AND serial = ?");
        _page = database.Prepare(ResponseRows.PageOfIssuer);
    }

    /// <summary>Of which file it is.</summary>
    public int Generation { get; }

    /// <summary>Opens the file; null while it has no tables yet.</summary>
    public static ResponseReader? TryOpen(string file, int generation)
    {
        SqliteDatabase database = SqliteDatabase.Open(file, readOnly: true);
        try
        {
            if (database.QueryInt64("PRAGMA user_version") != 0)
            {
                return new ResponseReader(database, generation);
            }

            database.Dispose();
            return null;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public List<KeptResponse> Find(IssuerId issuer, SerialNumber serial)
    {
        List<KeptResponse> responses = [];
        if (NumberOf(issuer) is not { } number)
        {
            return responses;
        }

        _find.Bind(1, number).Bind(2, serial.Content);
        while (_find.Step())
        {
            if (ResponseRows.Read(_find, number, WordOf) is { } response)
            {
                responses.Add(response);
            }
        }

        _find.Reset();
        return responses;
    }

    public ResponsePage ReadPage(IssuerId issuer, long after, int limit)
    {
        if (NumberOf(issuer) is not { } number)
        {
            return ResponsePage.Empty;
        }

        List<KeptResponse> responses = [];
        int rows = 0;
        _page.Bind(1, number).Bind(2, after).Bind(3, (long)limit);
        for (; _page.Step(); rows++)
        {
            after = _page.GetInt64(0);
            if (ResponseRows.Read(_page, number, WordOf) is { } response)
            {
                responses.Add(response);
            }
        }

        _page.Reset();
        return new ResponsePage(responses, rows, after);
    }

    public void Dispose() => _database.Dispose();

    private long? NumberOf(IssuerId issuer)
    {
        if (_issuers.TryGetValue(issuer, out long known))
        {
            return known;
        }

        long? number = _findWord.Bind(1, ResponseRows.WordOf(issuer)).Step() ? _findWord.GetInt64(0) : null;
        _findWord.Reset();
        if (number is { } found)
        {
            _issuers[issuer] = found;
        }

        return number;
    }

    private byte[]? WordOf(long id)
    {
        if (!_words.TryGetValue(id, out byte[]? octets) && _readWord.Bind(1, id).Step())
        {
            _words[id] = octets = _readWord.GetBytes(0).ToArray();
        }

        _readWord.Reset();
        return octets;
    }
}
