using System.Globalization;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>Serial numbers as people and tools write them.</summary>
internal static class SerialText
{
    /// <summary>What is taken, for help.</summary>
    public const string Forms = "hexadecimal (5EED01, 5e:ed:01, 0x5eed01) or decimal:6221057";

    private const string Decimal = "decimal:";
    private const int MaxCharacters = 512;

    /// <summary>Reads one; bare digits are hexadecimal, as OpenSSL prints them.</summary>
    public static SerialNumber? TryParse(string text)
    {
        text = text.Trim();
        if (text.StartsWith("serial=", StringComparison.OrdinalIgnoreCase))
        {
            text = text["serial=".Length..]; // as 'openssl x509 -serial' prints it
        }

        if (text.Length is 0 or > MaxCharacters)
        {
            return null;
        }

        if (text.StartsWith(Decimal, StringComparison.OrdinalIgnoreCase))
        {
            return BigInteger.TryParse(text.AsSpan(Decimal.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger value) ? SerialNumber.FromInteger(value) : null;
        }

        return SerialNumber.TryParseHex(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text, out SerialNumber serial) ? serial : null;
    }

    /// <summary>Reads one of the command line.</summary>
    public static SerialNumber Parse(string text) => TryParse(text) ?? throw new CommandFailure($"'{text}' is not a serial number: {Forms}.", ExitCode.Usage);

    /// <summary>The serial numbers of the first certificates of files.</summary>
    public static IEnumerable<SerialNumber> OfFiles(IEnumerable<string> files) =>
        files.Select(file => Files.ReadCertificates(file)[0]).Select((X509Certificate2 certificate) => SerialNumber.FromCertificate(certificate));
}
