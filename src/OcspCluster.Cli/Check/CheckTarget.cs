using System.Globalization;
using System.Net;

namespace OcspCluster.Cli;

/// <summary>A TLS server to check: <c>HOST</c>, <c>HOST:PORT</c>, <c>[IPV6]:PORT</c> or an https URL. Immutable.</summary>
internal sealed record CheckTarget(string Host, int Port)
{
    private const int HttpsPort = 443;

    /// <summary>Reads one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="defaultPort">The port where the text has none.</param>
    /// <returns>Null when the text is none.</returns>
    public static CheckTarget? TryParse(string text, int defaultPort = HttpsPort)
    {
        if (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            return Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.UserInfo.Length == 0 ? new CheckTarget(url.IdnHost, url.Port) : null;
        }

        if (!text.StartsWith('[') && text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out IPAddress? address))
        {
            return new CheckTarget(address.ToString(), defaultPort); // an IPv6 address without brackets has no port
        }

        int colon = text.LastIndexOf(':');
        bool hasPort = colon > text.LastIndexOf(']');
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        int port = defaultPort;
        bool isPort = !hasPort || (int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536);
        return isPort && Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 ? new CheckTarget(host, port) : null;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
