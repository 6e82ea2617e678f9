using System.Text;
using OcspCluster.Protocol;
using static OcspCluster.Authority.CertificateState;
using static OcspCluster.Protocol.RevocationReason;

namespace OcspCluster.Authority.Tests.Import;

public sealed class OpenSslIndexTests
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 5, 20, 10, 30, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset s_compromisedAt = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("V\t270101000000Z\t\t01\tunknown\t/CN=a")]
    [InlineData("E\t270101000000Z\t\t01\tunknown\t/CN=a")]
    [InlineData("V\t20270101000000Z\t\t01\tunknown\t/CN=a")]
    [InlineData("V\t270101000000Z\t\t01\tcerts/01.pem\t/CN=a\\\tb\t\tand more")]
    public void ReadLine_ValidOrExpired_IsGood(string line) =>
        Assert.Equal(
            new OpenSslIndexEntry(7, SerialNumber.ParseHex("01"), new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), Good),
            OpenSslIndex.ReadLine(7, line).Entry);

    [Theory]
    [InlineData("", Revoked, null)]
    [InlineData(",", Revoked, null)]
    [InlineData(",unspecified", Revoked, null)]
    [InlineData(",keyCompromise", Revoked, KeyCompromise)]
    [InlineData(",KEYCOMPROMISE", Revoked, KeyCompromise)]
    [InlineData(",CACompromise", Revoked, CaCompromise)]
    [InlineData(",affiliationChanged", Revoked, AffiliationChanged)]
    [InlineData(",superseded", Revoked, Superseded)]
    [InlineData(",cessationOfOperation", Revoked, CessationOfOperation)]
    [InlineData(",privilegeWithdrawn", Revoked, PrivilegeWithdrawn)]
    [InlineData(",aACompromise", Revoked, AaCompromise)]
    [InlineData(",AACompromise", Revoked, AaCompromise)]
    [InlineData(",certificateHold", Held, CertificateHold)]
    [InlineData(",holdInstruction,1.2.840.10040.2.3", Held, CertificateHold)]
    [InlineData(",holdInstruction,holdInstructionReject", Held, CertificateHold)]
    [InlineData(",keyTime,20260501000000Z", Revoked, KeyCompromise, true)]
    [InlineData(",CAkeyTime,20260501000000Z", Revoked, CaCompromise, true)]
    public void ReadLine_Revoked_HasStateReasonAndDates(string behindTheTime, CertificateState state, RevocationReason? reason, bool hasInvalidityDate = false)
    {
        OpenSslIndexLine line = OpenSslIndex.ReadLine(1, $"R\t270101000000Z\t260520103005Z{behindTheTime}\t0A\tunknown\t/CN=a");

        Assert.Null(line.Problem);
        Assert.Equal(
            (state, s_revokedAt, reason, hasInvalidityDate ? s_compromisedAt : null),
            (line.Entry!.State, line.Entry.RevocationTime!.Value, line.Entry.Reason, line.Entry.InvalidityDate));
    }

    [Theory]
    [InlineData("V\t270101000000Z\t\t01\tunknown", "5 columns")]
    [InlineData("V 270101000000Z 01 unknown /CN=a", "1 columns")]
    [InlineData("X\t270101000000Z\t\t01\tunknown\t/CN=a", "status 'X'")]
    [InlineData("\t270101000000Z\t\t01\tunknown\t/CN=a", "status ''")]
    [InlineData("v\t270101000000Z\t\t01\tunknown\t/CN=a", "status 'v'")]
    [InlineData("V\t\t\t01\tunknown\t/CN=a", "expiry ''")]
    [InlineData("V\t2701010000Z\t\t01\tunknown\t/CN=a", "expiry '2701010000Z'")]
    [InlineData("V\t270101000000\t\t01\tunknown\t/CN=a", "expiry")]
    [InlineData("V\t270101000000+0100\t\t01\tunknown\t/CN=a", "expiry")]
    [InlineData("V\t270229000000Z\t\t01\tunknown\t/CN=a", "expiry")]
    [InlineData("V\t270101000060Z\t\t01\tunknown\t/CN=a", "expiry")]
    [InlineData("V\t27010100000٣Z\t\t01\tunknown\t/CN=a", "expiry")]
    [InlineData("V\t270101000000Z\t\t\tunknown\t/CN=a", "serial number ''")]
    [InlineData("V\t270101000000Z\t\t0G\tunknown\t/CN=a", "serial number '0G'")]
    [InlineData("V\t270101000000Z\t260520103005Z\t01\tunknown\t/CN=a", "status V and a revocation")]
    [InlineData("E\t270101000000Z\t260520103005Z\t01\tunknown\t/CN=a", "status E and a revocation")]
    [InlineData("R\t270101000000Z\t\t01\tunknown\t/CN=a", "does not begin with a time")]
    [InlineData("R\t270101000000Z\tkeyCompromise\t01\tunknown\t/CN=a", "does not begin with a time")]
    [InlineData("R\t270101000000Z\t260520103005Z,nonsense\t01\tunknown\t/CN=a", "'nonsense'")]
    [InlineData("R\t270101000000Z\t260520103005Z,1\t01\tunknown\t/CN=a", "'1'")]
    [InlineData("R\t270101000000Z\t260520103005Z,removeFromCRL\t01\tunknown\t/CN=a", "removeFromCRL")]
    [InlineData("R\t270101000000Z\t260520103005Z,holdInstruction\t01\tunknown\t/CN=a", "without the instruction's OID")]
    [InlineData("R\t270101000000Z\t260520103005Z,keyTime\t01\tunknown\t/CN=a", "time of compromise ''")]
    [InlineData("R\t270101000000Z\t260520103005Z,CAkeyTime,yesterday\t01\tunknown\t/CN=a", "time of compromise 'yesterday'")]
    [InlineData("R\t270101000000Z\t260520103005Z,superseded,more\t01\tunknown\t/CN=a", "'more' behind it")]
    [InlineData("R\t270101000000Z\t260520103005Z,certificateHold,1.2.3\t01\tunknown\t/CN=a", "'1.2.3' behind it")]
    public void ReadLine_Wrong_SaysLineAndWhat(string line, string expected)
    {
        OpenSslIndexLine result = OpenSslIndex.ReadLine(42, line);

        Assert.Null(result.Entry);
        Assert.Equal(42, result.Problem!.Line);
        Assert.StartsWith("Line 42 has ", result.Problem.Problem);
        Assert.Contains(expected, result.Problem.Problem);
    }

    [Theory]
    [InlineData("500101000000Z", 1950)]
    [InlineData("991231235959Z", 1999)]
    [InlineData("000101000000Z", 2000)]
    [InlineData("491231235959Z", 2049)]
    [InlineData("20500101000000Z", 2050)]
    [InlineData("99991231235959Z", 9999)]
    public void ReadLine_Time_HasTheRightCentury(string time, int year) =>
        Assert.Equal(year, OpenSslIndex.ReadLine(1, $"V\t{time}\t\t01\tunknown\t/CN=a").Entry!.NotAfter.Year);

    [Theory]
    [InlineData("00", "00")]
    [InlineData("01", "01")]
    [InlineData("FF", "00FF")]
    [InlineData("00FF", "00FF")]
    [InlineData("8000000000000000000000000000000000000001", "008000000000000000000000000000000000000001")]
    [InlineData("-01", "FF")]
    [InlineData("abcdef", "00ABCDEF")]
    public void ReadLine_Serial_HasTheOctetsOfTheCertificate(string text, string content) =>
        Assert.Equal(content, Convert.ToHexString(OpenSslIndex.ReadLine(1, $"V\t270101000000Z\t\t{text}\tunknown\t/CN=a").Entry!.Serial.Content));

    [Fact]
    public async Task Read_File_NumbersLinesAndGoesOnAfterProblems()
    {
        byte[] file = [.. Encoding.Latin1.GetBytes("# comment\nV\t270101000000Z\t\t01\tunknown\t/CN=\xE9\r\n\nnonsense\nR\t270101000000Z\t260520103005Z\t02\tunknown\t/CN=b")];
        using MemoryStream stream = new(file);

        List<OpenSslIndexLine> lines = [];
        await foreach (OpenSslIndexLine line in OpenSslIndex.ReadAsync(stream, CancellationToken.None))
        {
            lines.Add(line);
        }

        Assert.Equal([2, 4, 5], lines.Select(line => line.Entry?.Line ?? line.Problem!.Line));
        Assert.Equal([false, true, false], lines.Select(line => line.Problem is not null));
        Assert.True(stream.CanRead); // the caller's to close
    }
}
