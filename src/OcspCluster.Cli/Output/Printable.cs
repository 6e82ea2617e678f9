using System.Globalization;
using System.Text;

namespace OcspCluster.Cli;

/// <summary>Makes text from strangers fit to be shown: names in certificates and answers of servers may carry escape sequences that drive a terminal.</summary>
internal static class Printable
{
    /// <summary>The text, its control, format and line-breaking characters written as <c>\uXXXX</c>.</summary>
    public static string Of(string? text)
    {
        if (text is null || !text.Any(IsUnsafe))
        {
            return text ?? "";
        }

        StringBuilder result = new();
        foreach (char c in text)
        {
            result.Append(IsUnsafe(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}") : c);
        }

        return result.ToString();
    }

    private static bool IsUnsafe(char c) => char.GetUnicodeCategory(c)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
