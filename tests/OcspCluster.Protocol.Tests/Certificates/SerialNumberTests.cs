using System.Globalization;
using System.Numerics;

namespace OcspCluster.Protocol.Tests;

public class SerialNumberTests
{
    [Theory]
    [InlineData("00", "0", 0)]
    [InlineData("01", "1", 1)]
    [InlineData("7F", "7f", 127)]
    [InlineData("0080", "80", 128)]
    [InlineData("00FF", "FF", 255)]
    [InlineData("00FF", "0:FF", 255)]
    [InlineData("1001", "10:01", 4097)]
    [InlineData("1001", " 10 01 ", 4097)]
    [InlineData("FF", "-1", -1)]
    [InlineData("80", "-80", -128)]
    [InlineData("FF7F", "-81", -129)]
    [InlineData("00", "-0", 0)]
    public void ParseHex_Number_IsItsContent(string content, string text, int value)
    {
        SerialNumber serial = SerialNumber.ParseHex(text);

        Assert.Equal(content, Convert.ToHexString(serial.Content));
        Assert.Equal(SerialNumber.FromInteger(value), serial);
        Assert.Equal(SerialNumber.FromContent(Convert.FromHexString(content)), serial);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("::")]
    [InlineData("0x10")]
    [InlineData("1G")]
    [InlineData("1-1")]
    [InlineData("--1")]
    [InlineData("١")]
    public void TryParseHex_NotANumber_IsFalse(string text)
    {
        Assert.False(SerialNumber.TryParseHex(text, out SerialNumber serial));
        Assert.True(serial.IsEmpty);
        Assert.Throws<FormatException>(() => SerialNumber.ParseHex(text));
    }

    [Theory]
    [InlineData("FF")]
    [InlineData("80")]
    [InlineData("1001")]
    [InlineData("-1")]
    [InlineData("-80")]
    [InlineData("-81")]
    [InlineData("-FF00")]
    public void ToString_AnyValue_IsReadBack(string text)
    {
        SerialNumber serial = SerialNumber.ParseHex(text);

        Assert.Equal(serial, SerialNumber.ParseHex(serial.ToString()));
    }

    [Fact]
    public void ParseHex_AnyDigits_AreTheInteger()
    {
        Random random = new(5);
        for (int i = 0; i < 5_000; i++)
        {
            string digits = new string('0', random.Next(3)) + random.GetHexString(random.Next(1, 42), lowercase: i % 2 == 0);
            string text = i % 3 == 0 ? string.Join(':', digits.Chunk(2).Select(octet => new string(octet))) : digits;
            BigInteger value = BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

            Assert.Equal(SerialNumber.FromInteger(value), SerialNumber.ParseHex(text));
            Assert.Equal(SerialNumber.FromInteger(-value), SerialNumber.ParseHex("-" + text));
        }
    }

    [Fact]
    public void ParseHex_LongText_IsRead()
    {
        string text = string.Concat(Enumerable.Repeat("FF", 600));

        Assert.Equal(601, SerialNumber.ParseHex(text).Content.Length);
        Assert.Equal(text, SerialNumber.ParseHex(text).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("007F")]
    [InlineData("FF80")]
    [InlineData("FFFF")]
    public void FromContent_NotMinimal_IsRefused(string content)
    {
        byte[] octets = Convert.FromHexString(content);

        Assert.False(SerialNumber.IsMinimal(octets));
        Assert.Throws<ArgumentException>(() => SerialNumber.FromContent(octets));
    }

    [Fact]
    public void Equality_SignOctet_TellsValuesApart()
    {
        SerialNumber positive = SerialNumber.FromContent([0x00, 0xFF]);
        SerialNumber negative = SerialNumber.FromContent([0xFF]);

        Assert.NotEqual(positive, negative);
        Assert.True(positive != negative);
        Assert.True(positive == SerialNumber.FromInteger(255));
        Assert.True(positive.Equals((object)SerialNumber.FromInteger(255)));
        Assert.Equal(positive.GetHashCode(), SerialNumber.FromInteger(255).GetHashCode());
    }

    [Fact]
    public void FromContent_CallersArrayChanges_StaysAsItWas()
    {
        byte[] octets = [0x01, 0x02];
        SerialNumber serial = SerialNumber.FromContent(octets);

        octets[0] = 0x7F;

        Assert.Equal("0102", serial.ToString());
    }

    [Fact]
    public void Order_Octets_ShorterPrefixFirst()
    {
        string[] contents = ["00", "0080", "01", "0101", "7F", "80", "FF"];
        SerialNumber[] ordered = [default, .. contents.Select(hex => SerialNumber.FromContent(Convert.FromHexString(hex)))];

        Assert.Equal(ordered, ordered.AsEnumerable().Reverse().Order());
        for (int i = 1; i < ordered.Length; i++)
        {
            Assert.True(ordered[i - 1] < ordered[i] && ordered[i - 1] <= ordered[i] && ordered[i] > ordered[i - 1] && ordered[i] >= ordered[i - 1]);
        }
    }

    [Fact]
    public void Default_IsEmpty()
    {
        Assert.True(default(SerialNumber).IsEmpty);
        Assert.Equal("", default(SerialNumber).ToString());
        Assert.False(SerialNumber.FromInteger(BigInteger.Zero).IsEmpty);
        Assert.NotEqual(default, SerialNumber.FromInteger(BigInteger.Zero));
    }

    [Theory]
    [InlineData("subject-small", "1001")]
    [InlineData("subject-high-bit", "FF")]
    [InlineData("subject-20-octets", "7A6B5C4D3E2F1001A2B3C4D5E6F708192A3B4C5D")]
    public void FromCertificate_Serial_IsTheCertificates(string name, string hex)
    {
        using var certificate = Fixture.Certificate(name);

        Assert.Equal(SerialNumber.ParseHex(hex), SerialNumber.FromCertificate(certificate));
        Assert.Equal(hex, SerialNumber.FromCertificate(certificate).ToString());
    }
}
