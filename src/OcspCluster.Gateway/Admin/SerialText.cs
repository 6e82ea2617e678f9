using System.Globalization;
using System.Numerics;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Serial numbers as people and tools write them.</summary>
internal static class SerialText
{
    private const string DecimalPrefix = "decimal:";
    private const int MaxCharacters = 512;

    /// <summary>Hexadecimal: with or without colons, blanks, <c>0x</c> and leading zeros; <c>-</c> before a negative one.</summary>
    public static bool TryParseHex(string text, out SerialNumber serial)
    {
        ReadOnlySpan<char> digits = text.AsSpan().Trim();
        return SerialNumber.TryParseHex(digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits, out serial);
    }

    /// <summary>As <see cref="TryParseHex"/>, or decimal behind <c>decimal:</c>, which no hexadecimal number begins with.</summary>
    public static bool TryParse(string? text, out SerialNumber serial)
    {
        serial = default;
        if (text is not { Length: > 0 and <= MaxCharacters })
        {
            return false;
        }

        if (!text.StartsWith(DecimalPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return TryParseHex(text, out serial);
        }

        if (!BigInteger.TryParse(text.AsSpan(DecimalPrefix.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger value))
        {
            return false;
        }

        serial = SerialNumber.FromInteger(value);
        return true;
    }
}
