using System.Text;

namespace OcspCluster.Testing;

/// <summary>
/// The ways in which clients and the proxies before them write a request into a GET target (RFC 6960 §A.1). Each gives the path segment without its leading slash.
/// </summary>
public static class GetTarget
{
    /// <summary>Every spelling that a responder reads, by name.</summary>
    public static IReadOnlyDictionary<string, Func<byte[], string>> All { get; } = new Dictionary<string, Func<byte[], string>>(StringComparer.Ordinal)
    {
        ["escaped"] = Escaped,
        ["escaped-lower"] = der => Percent(Convert.ToBase64String(der), upper: false, c => c is '+' or '/' or '='),
        ["raw"] = Raw,
        ["only-plus-escaped"] = der => Percent(Convert.ToBase64String(der), upper: true, c => c is '+'),
        ["only-slash-escaped"] = der => Percent(Convert.ToBase64String(der), upper: true, c => c is '/'),
        ["only-padding-escaped"] = der => Percent(Convert.ToBase64String(der), upper: false, c => c is '='),
        ["every-character-escaped"] = der => Percent(Convert.ToBase64String(der), upper: true, _ => true),
        ["unpadded"] = der => Raw(der).TrimEnd('='),
        ["unpadded-escaped"] = der => Percent(Convert.ToBase64String(der).TrimEnd('='), upper: true, c => c is '+' or '/'),
        ["base64url"] = der => Raw(der).Replace('+', '-').Replace('/', '_'),
        ["base64url-unpadded"] = der => Raw(der).Replace('+', '-').Replace('/', '_').TrimEnd('='),
        ["escaped-twice"] = der => Escaped(der).Replace("%", "%25", StringComparison.Ordinal),
        ["line-breaks"] = der => Percent(Convert.ToBase64String(der, Base64FormattingOptions.InsertLineBreaks), upper: true, c => c is '+' or '/' or '=' or '\r' or '\n'),
        ["space-for-plus"] = der => Percent(Convert.ToBase64String(der).Replace('+', ' '), upper: true, c => c is ' ' or '/' or '='),
    };

    /// <summary>As RFC 6960 asks: <c>+</c>, <c>/</c> and <c>=</c> escaped, digits in upper case.</summary>
    public static string Escaped(byte[] der) => Percent(Convert.ToBase64String(der), upper: true, c => c is '+' or '/' or '=');

    /// <summary>Base64 as it is, slashes and all.</summary>
    public static string Raw(byte[] der) => Convert.ToBase64String(der);

    /// <summary>Each character escaped or not, in upper or lower case, by chance.</summary>
    public static string Mixed(byte[] der, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        StringBuilder target = new();
        foreach (char c in Convert.ToBase64String(der))
        {
            bool escape = random.Next(c is '+' or '/' or '=' ? 2 : 20) == 0;
            target.Append(escape ? Percent(c.ToString(), random.Next(2) == 0, _ => true) : c.ToString());
        }

        return target.ToString();
    }

    private static string Percent(string text, bool upper, Func<char, bool> escapes)
    {
        StringBuilder target = new();
        foreach (char c in text)
        {
            target.Append(!escapes(c) ? c.ToString() : upper ? $"%{(int)c:X2}" : $"%{(int)c:x2}");
        }

        return target.ToString();
    }
}
