using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Audit;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

public sealed class JournalExportTests : IAsyncLifetime
{
    private readonly AuditedStore _store = new();
    private JournalEntry[] _entries = [];
    private string[] _lines = [];

    public async ValueTask InitializeAsync()
    {
        _entries = await _store.FillAsync(40);
        _lines = Encoding.UTF8.GetString(await ExportAsync()).Split('\n')[..^1];
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Export_ReadWithThePublicKeyAlone_IsAccepted()
    {
        AuditReport? report = await VerifyAsync(_lines);

        Assert.True(report!.IsAccepted);
        Assert.Equal((Ca, _entries.Length), (report.Issuer, (int)report.Entries));
        Assert.Equal(report.Root, report.Checkpoint!.Root);
        Assert.Equal(_entries.Length + 2, _lines.Length);
    }

    [Fact]
    public async Task Export_OfEveryOddText_IsReadBackExactly()
    {
        string[] ids = ["a\0b", "\u2028<&>\"\\'", "日本語", "\U0001F510", "\u007F\r\n\t", new string('\uFFFF', 200), "\uFFFD"];
        JournalEntry[] entries = [.. Entries(0, ids.Select((id, i) => Held(id, Serial(-i)))).Select(entry => entry with { Submitter = new Submitter(entry.Event.Id[..1] == "\uD83D" ? "x" : entry.Event.Id[..1], null) })];
        using AuditedStore store = new();
        await store.AppendAsync(Ca, 0, entries);
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(store.Path, Ca, export, store.Clock, CancellationToken.None);
        export.Position = 0;
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(store.Path, JournalKeyFile.PublicFileName));

        Assert.Null((await new JournalExportVerifier(new CheckpointVerifier(key)).VerifyAsync(export, CancellationToken.None))!.FirstFinding);
    }

    [Fact]
    public async Task Export_WithAnyLineLost_NamesThePlace()
    {
        for (int i = 1; i < _lines.Length - 1; i++)
        {
            AuditFinding? finding = (await VerifyAsync([.. _lines[..i], .. _lines[(i + 1)..]]))!.FirstFinding;

            // The last entry's loss shows in the checkpoint only.
            Assert.Equal((i, i == _lines.Length - 2 ? AuditFault.CheckpointMismatch : AuditFault.Missing), ((int)finding!.Position!, finding.Fault));
        }

        Assert.Null(await VerifyAsync(_lines[1..]));
        Assert.Equal(AuditFault.Malformed, (await VerifyAsync(_lines[..^1]))!.FirstFinding!.Fault);
        Assert.Equal(AuditFault.Malformed, (await VerifyAsync([.. _lines, _lines[^1]]))!.FirstFinding!.Fault);
    }

    [Fact]
    public async Task Export_WithAnyCharacterChanged_IsNotAcceptedAndNamesTheEntry()
    {
        Random random = new(6962);
        for (int i = 0; i < 1500; i++)
        {
            int line = random.Next(_lines.Length);
            int at = random.Next(_lines[line].Length);
            string[] changed = [.. _lines];
            changed[line] = _lines[line][..at] + (char)(_lines[line][at] ^ (1 << random.Next(5))) + _lines[line][(at + 1)..];
            if (IsOnlyCaseOfHexadecimal(_lines[line], changed[line]))
            {
                continue;
            }

            AuditReport? report = await VerifyAsync(changed);

            Assert.True(report is null or { IsAccepted: false }, $"accepted: {changed[line]}");
            if (line > 0 && line < _lines.Length - 1)
            {
                Assert.Equal(line, report!.FirstFinding!.Position);
            }
        }
    }

    [Fact]
    public async Task Export_RechainedAfterAChange_IsNotWhatWasSignedFor()
    {
        using AuditedStore other = new();
        JournalEntry[] entries = [.. _entries];
        entries[3] = entries[3] with { Submitter = Submitter.Unknown };
        await other.AppendAsync(Ca, 0, entries);
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(other.Path, Ca, export, other.Clock, CancellationToken.None);
        string[] lines = Encoding.UTF8.GetString(export.ToArray()).Split('\n')[..^1];

        Assert.Equal(AuditFault.CheckpointInvalid, (await VerifyAsync(lines))!.FirstFinding!.Fault); // another key
        Assert.Equal(AuditFault.CheckpointMismatch, (await VerifyAsync([.. lines[..^1], _lines[^1]]))!.FirstFinding!.Fault); // the true checkpoint
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"position\":")]
    [InlineData("{\"checkpoint\":7}")]
    [InlineData("\uFEFF{}")]
    public async Task Export_OfAnotherLine_IsMalformedThere(string line) =>
        Assert.Equal((3, AuditFault.Malformed), await BriefAsync([.. _lines[..3], line, .. _lines[4..]]));

    [Fact]
    public async Task Export_OfALineWithoutEnd_IsMalformedAndBounded() =>
        Assert.Equal((2, AuditFault.Malformed), await BriefAsync([.. _lines[..2], new string(' ', 3 * JournalExportVerifier.MaxLineBytes)]));

    [Fact]
    public async Task Export_WithAMemberTwice_IsMalformed() =>
        Assert.Equal((1, AuditFault.Malformed), await BriefAsync([_lines[0], _lines[1].Replace("\"position\":1", "\"position\":1,\"position\":1", StringComparison.Ordinal), .. _lines[2..]]));

    [Fact]
    public void Checkpoint_OfAnExport_IsVerifiedByOpenSsl()
    {
        string note = new CheckpointDirectory(_store.Path).Read(Ca)!;
        string[] parts = note.Split("\n\n");
        using OpenSsl openssl = new();
        openssl.Write("text", parts[0] + "\n");
        openssl.Write("signature", Convert.FromBase64String(parts[1].Trim().Split(' ')[2]).AsSpan(4));
        openssl.Write("journal.pub", File.ReadAllText(Path.Combine(_store.Path, JournalKeyFile.PublicFileName)));

        Assert.Contains("Verified OK", openssl.Run("dgst -sha256 -verify journal.pub -signature signature text"));
    }

    // Digits of a serial and a hash mean the same in either case.
    private static bool IsOnlyCaseOfHexadecimal(string before, string after) => string.Equals(before, after, StringComparison.OrdinalIgnoreCase);

    private async Task<byte[]> ExportAsync()
    {
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(_store.Path, Ca, export, _store.Clock, CancellationToken.None);
        return export.ToArray();
    }

    private async Task<(long? Position, AuditFault? Fault)> BriefAsync(string[] lines) =>
        await VerifyAsync(lines) is { FirstFinding: { } finding } ? (finding.Position, finding.Fault) : default;

    private async Task<AuditReport?> VerifyAsync(string[] lines)
    {
        using MemoryStream export = new(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(_store.Path, JournalKeyFile.PublicFileName));
        return await new JournalExportVerifier(new CheckpointVerifier(key)).VerifyAsync(export, CancellationToken.None);
    }
}
