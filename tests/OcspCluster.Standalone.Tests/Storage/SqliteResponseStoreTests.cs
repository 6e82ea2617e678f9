using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Storage;

public sealed class SqliteResponseStoreTests : ResponseStoreContract
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-responses-");

    private string DatabaseFile => Path.Combine(_directory.FullName, SqliteResponseStore.FileName);

    [Fact]
    public async Task Nothing_IsOpened_BeforeSomethingIsKept()
    {
        Assert.Empty(await ReadAllAsync(Ca));
        Assert.False(File.Exists(DatabaseFile));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("PRAGMA user_version = 99")]
    [InlineData("PRAGMA application_id = 7")]
    public async Task File_ThatCannotBeUsed_IsMadeAnewBySaving(string damage)
    {
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        await Store.DisposeAsync();
        if (damage == "garbage")
        {
            await File.WriteAllTextAsync(DatabaseFile, new string('x', 10_000));
        }
        else
        {
            using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
            database.Execute(damage);
        }

        await RestartAsync();
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await Store.SaveAsync(Ca, [Response(2)], CancellationToken.None));
        await Store.SaveAsync(Ca, [Response(2)], CancellationToken.None);
        AssertSame([Response(2)], await ReadAllAsync(Ca));
    }

    // Sorted, each page would look at every row of the issuer: 189 s for a million.
    [Fact]
    public async Task Rows_OfAnIssuer_AreReadByAnIndex_InAFileThatHadNone_Too()
    {
        await Store.SaveAsync(Ca, [.. Enumerable.Range(1, 2000).Select(i => Response(i))], CancellationToken.None);
        await Store.DisposeAsync();
        using (SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false))
        {
            database.Execute("DROP INDEX of_issuer");
            Assert.Contains("TEMP B-TREE", Plan(database), StringComparison.Ordinal);
        }

        await RestartAsync();
        Assert.Equal(2000, (await ReadAllAsync(Ca)).Count);
        using SqliteDatabase after = SqliteDatabase.Open(DatabaseFile, readOnly: true);
        Assert.Contains("INDEX of_issuer (issuer=? AND rowid>?)", Plan(after), StringComparison.Ordinal);
        Assert.DoesNotContain("TEMP B-TREE", Plan(after), StringComparison.Ordinal);

        static string Plan(SqliteDatabase database)
        {
            using SqliteStatement plan = database.Prepare("EXPLAIN QUERY PLAN " + ResponseRows.PageOfIssuer);
            string steps = "";
            while (plan.Step())
            {
                steps += plan.GetText(3) + "; ";
            }

            return steps;
        }
    }

    [Fact]
    public async Task File_DamagedUnderAReader_IsMadeAnew()
    {
        await Store.SaveAsync(Ca, [.. Enumerable.Range(1, 2000).Select(i => Response(i))], CancellationToken.None);
        await RestartAsync();
        byte[] bytes = await File.ReadAllBytesAsync(DatabaseFile);
        bytes.AsSpan(4096).Fill(0x55);
        await File.WriteAllBytesAsync(DatabaseFile, bytes);
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await Store.FindAsync(Ca, Serial(1), CancellationToken.None));
        await Store.SaveAsync(Ca, [Response(7)], CancellationToken.None);
        AssertSame([Response(7)], await ReadAllAsync(Ca));
    }

    [Theory]
    [InlineData("UPDATE response SET encoded = x'00'")]
    [InlineData("UPDATE response SET position = position + 1")]
    [InlineData("UPDATE response SET next_update = next_update + 1")]
    [InlineData("UPDATE response SET is_default = 1 - is_default")]
    [InlineData("UPDATE response SET credential = form")]
    [InlineData("UPDATE response SET serial = x'0000'")]
    [InlineData("UPDATE response SET this_update = -9000000000000000000")]
    [InlineData("UPDATE response SET seal = seal + 1")]
    public async Task Row_ThatIsNotWhatWasWritten_IsAsIfItWereNotThere(string damage)
    {
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        using (SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false))
        {
            database.Execute(damage);
        }

        await RestartAsync();
        Assert.Empty(await ReadAllAsync(Ca));
        Assert.Empty(await Store.FindAsync(Ca, Serial(1), CancellationToken.None));
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        Assert.Single(await Store.FindAsync(Ca, Serial(1), CancellationToken.None));
    }

    [Fact]
    public async Task Directory_ThatCannotBeWritten_FailsTheSaving_AndWorksWhenItCan()
    {
        Directory.CreateDirectory(DatabaseFile); // root may write everywhere, but not into a directory as if it were a file
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None));
        Assert.Empty(await ReadAllAsync(Ca));
        Directory.Delete(DatabaseFile);
        await Store.SaveAsync(Ca, [Response(1)], CancellationToken.None);
        AssertSame([Response(1)], await ReadAllAsync(Ca));
    }

    [Fact]
    public async Task Answers_OfACredential_ShareTheirEnd_AndComeBackAsTheyWere()
    {
        byte[] certificate = [0xA0, 0x82, 0x02, 0x00, .. Enumerable.Repeat((byte)0x30, 512)];
        KeptResponse[] answers =
        [
            .. Enumerable.Range(1, 100).Select(i => Response(i) with { Encoded = Answer(i, certificate) }),
            Response(101) with { Encoded = Answer(101, []) },
            Response(102) with { Encoded = Answer(102, [0xA0, 0x82, 0x02, 0x00, .. Enumerable.Repeat((byte)0x31, 512)]) }, // its end has changed
            .. new byte[][] { [], [0x00], [0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0x01, 0x02], [0x30] }.Select((octets, i) => Response(200 + i) with { Encoded = octets }),
        ];
        await Store.SaveAsync(Ca, answers, CancellationToken.None);
        await RestartAsync();
        AssertSame(answers, await ReadAllAsync(Ca));
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        Assert.InRange(database.QueryInt64("SELECT max(length(encoded)) FROM response"), 10, 100);
        database.Execute("UPDATE word SET octets = zeroblob(516) WHERE id = (SELECT min(id) FROM word WHERE length(octets) = 516)");
        await RestartAsync();
        AssertSame(answers[100..], await ReadAllAsync(Ca)); // whose end is damaged, is as if it were not there

        // OCSPResponse around a BasicOCSPResponse of no data but a number.
        static byte[] Answer(int number, byte[] certificates)
        {
            byte[] basic = Tlv(0x30, [.. Tlv(0x30, BitConverter.GetBytes(number)), .. Tlv(0x30, []), .. Tlv(0x03, [0, 1, 2, 3]), .. certificates]);
            return Tlv(0x30, [0x0A, 0x01, 0x00, .. Tlv(0xA0, Tlv(0x30, [.. Tlv(0x06, [0x2B, 6]), .. Tlv(0x04, basic)]))]);
        }

        static byte[] Tlv(byte tag, byte[] content) =>
            content.Length < 0x80 ? [tag, (byte)content.Length, .. content] : content.Length < 0x100 ? [tag, 0x81, (byte)content.Length, .. content] : [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];
    }

    // Looking at two rows for each that is written cost as much as writing it.
    [Fact]
    public void Sweep_RestsUntilTheFirstAnswerMayHaveEnded_AndForgetsNone()
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        ResponseRows.Prepare(database);
        ResponseSweep sweep = new(database);
        DateTimeOffset start = DateTimeOffset.UnixEpoch.AddDays(20_000);
        SaveRows(1, 1000, start.AddDays(4));
        Assert.True(sweep.RestsAt(start));
        SaveRows(1001, 1100, start.AddDays(2)); // a shorter one while it rests
        Assert.True(sweep.RestsAt(start.AddDays(2)));
        Assert.False(sweep.RestsAt(start.AddDays(2).AddSeconds(1)));

        int batches = 0;
        for (; !sweep.RestsAt(start.AddDays(3)); batches++)
        {
            sweep.Run(64, start.AddDays(3));
        }

        Assert.Equal(9, batches); // of 128 rows each

        Assert.Equal(1000, database.QueryInt64("SELECT count(*) FROM response"));
        Assert.True(sweep.RestsAt(start.AddDays(4)));
        Assert.False(sweep.RestsAt(start.AddDays(4).AddSeconds(1)));

        void SaveRows(int first, int last, DateTimeOffset nextUpdate)
        {
            for (int i = first; i <= last; i++)
            {
                database.Execute($"INSERT INTO response VALUES ({i}, 1, CAST({i} AS BLOB), 1, 1, 1, 1, 0, 0, {nextUpdate.ToUnixTimeSeconds()}, x'00', 0)");
                sweep.Saved(nextUpdate.ToUnixTimeSeconds());
            }

            sweep.Run(last - first + 1, start);
        }
    }

    protected override ValueTask<IResponseStore> OpenAsync() => ValueTask.FromResult<IResponseStore>(new SqliteResponseStore(_directory.FullName, Clock));

    protected override ValueTask CleanAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
