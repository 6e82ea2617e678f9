using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests.Admin;

public sealed class FeedPartsTests
{
    [Theory]
    [InlineData("4D2", "04D2")]
    [InlineData("04:d2", "04D2")]
    [InlineData("0x4D2", "04D2")]
    [InlineData("0X00004d2", "04D2")]
    [InlineData(" 4 d2 ", "04D2")]
    [InlineData("decimal:1234", "04D2")]
    [InlineData("Decimal:-1", "-01")]
    [InlineData("-1", "-01")]
    [InlineData("00", "00")]
    [InlineData("dec:0A", "DEC0A")]
    [InlineData("", null)]
    [InlineData("0x", null)]
    [InlineData("decimal:", null)]
    [InlineData("decimal:1e3", null)]
    [InlineData("4G", null)]
    public void Serial_InEveryNotation_IsRead(string text, string? serial) =>
        Assert.Equal(serial is null ? null : SerialNumber.ParseHex(serial), SerialText.TryParse(text, out SerialNumber read) ? read : (SerialNumber?)null);

    [Fact]
    public void Serial_ThatIsAbsurdlyLong_IsRefused()
    {
        Assert.False(SerialText.TryParse(new string('1', 513), out _));
        Assert.False(SerialText.TryParse("decimal:" + new string('1', 100_000), out _));
    }

    [Fact]
    public void Reason_EveryName_ComesBack()
    {
        foreach (RevocationReason reason in Enum.GetValues<RevocationReason>())
        {
            Assert.True(RevocationReasonText.TryParseName(reason.ToName(), out RevocationReason read));
            Assert.Equal(reason, read);
        }

        Assert.Equal(Enum.GetValues<RevocationReason>().Length, RevocationReasonText.Names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => ((RevocationReason)7).ToName());
    }

    [Fact]
    public void Schema_OfTheOpenApiDocument_HasTheFieldsThatAreRead() =>
        Assert.Equal(
            EventFields.Names.Order(),
            typeof(EventBody).GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order());

    [Fact]
    public void Answer_HasTheFieldsOfItsSchema()
    {
        ArrayBufferWriter<byte> buffer = new();
        OutcomeWriter.WriteBatch(buffer, [EventOutcome.Refused("x", EventRefusal.NotHeld, 3)]);
        JsonElement answer = JsonDocument.Parse(buffer.WrittenMemory).RootElement;

        Assert.Equal(NamesOf<EventsAnswer>(), answer.EnumerateObject().Select(property => property.Name).Order());
        Assert.Equal(NamesOf<OutcomeBody>(), answer.GetProperty("outcomes")[0].EnumerateObject().Select(property => property.Name).Order());

        static IEnumerable<string> NamesOf<T>() => typeof(T).GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order();
    }

    [Theory]
    [InlineData("a\nb\n", "a|b")]
    [InlineData("a\r\n\n \nb", "a\r|b")]
    [InlineData("\uFEFFa\n", "a")]
    [InlineData("", "")]
    [InlineData("12345678\n123456789\nb", "12345678|<too long>|b")]
    [InlineData("1234567890123456789012345", "<too long>")]
    [InlineData("1234567890123456789012345\nb", "<too long>|b")]
    public async Task Lines_HoweverTheyArrive_AreTheSame(string body, string lines)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        for (int piece = 1; piece <= bytes.Length + 1; piece++)
        {
            Pipe pipe = new();
            LineReader reader = new(pipe.Reader, maxLineBytes: 8);
            List<string> read = [];
            ValueTask<bool> reading = reader.ReadAsync(Take, CancellationToken.None);
            foreach (byte[] part in bytes.Chunk(piece))
            {
                await pipe.Writer.WriteAsync(part);
                Assert.True(await reading);
                reading = reader.ReadAsync(Take, CancellationToken.None);
            }

            await pipe.Writer.CompleteAsync();
            while (await reading)
            {
                reading = reader.ReadAsync(Take, CancellationToken.None);
            }

            Assert.Equal(lines, string.Join('|', read));

            void Take(ReadOnlySequence<byte>? line) => read.Add(line is null ? "<too long>" : Encoding.UTF8.GetString(line.Value));
        }
    }

    [Fact]
    public async Task Spool_WithALateReader_KeepsOrderAndGoesToDisk()
    {
        await using OutcomeSpool spool = new();
        Random random = new(1);
        List<byte[]> written = [.. Enumerable.Range(0, 200).Select(_ => new byte[random.Next(1, 60_000)])];
        written.ForEach(random.NextBytes);
        Pipe pipe = new();
        Task<byte[]> reading = Task.CompletedTask.ContinueWith(_ => Array.Empty<byte>(), TaskScheduler.Default);
        for (int i = 0; i < written.Count; i++)
        {
            spool.Write([.. written[i]]);
            if (i == 150)
            {
                Assert.True(spool.HasSpilled);
                reading = ReadAllAsync(pipe.Reader);
                _ = CopyAsync();
            }
        }

        spool.Complete();

        Assert.Equal(written.SelectMany(bytes => bytes), await reading);

        async Task CopyAsync()
        {
            await spool.CopyToAsync(pipe.Writer, CancellationToken.None);
            await pipe.Writer.CompleteAsync();
        }
    }

    [Fact]
    public async Task Spool_WithAPromptReader_StaysInMemory()
    {
        await using OutcomeSpool spool = new();
        Pipe pipe = new();
        Task copying = spool.CopyToAsync(pipe.Writer, CancellationToken.None);
        for (int i = 0; i < 100; i++)
        {
            spool.Write(new byte[50_000]);
            ReadResult result = await pipe.Reader.ReadAtLeastAsync(50_000);
            pipe.Reader.AdvanceTo(result.Buffer.End);
        }

        spool.Complete();
        await copying;
        Assert.False(spool.HasSpilled);
    }

    private static async Task<byte[]> ReadAllAsync(PipeReader reader)
    {
        using MemoryStream all = new();
        await reader.CopyToAsync(all);
        return all.ToArray();
    }
}
