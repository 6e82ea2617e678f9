using System.Net;

namespace OcspCluster.Hosting.Configuration;

/// <summary>What a listener is for, which says where it may listen.</summary>
internal enum ListenerKind
{
    /// <summary>OCSP: http, anywhere.</summary>
    Ocsp,

    /// <summary>The admin API without a certificate: http on the loopback address.</summary>
    Admin,

    /// <summary>The admin API with a certificate: https anywhere, http on the loopback address.</summary>
    AdminWithTls,
}

/// <summary>Reads the URLs to listen on.</summary>
internal static class ListenUrls
{
    /// <summary>The URLs of a key, each <c>http://{address}:{port}</c>; those that cannot be listened on are reported.</summary>
    public static IReadOnlyList<string> Read(SettingsReader reader, string key, string @default, ListenerKind kind)
    {
        IReadOnlyList<string> given = reader.List(key);
        List<string> urls = [];
        foreach (string text in given.Count == 0 ? [@default] : given)
        {
            // What other servers write for every address.
            string url = text.Replace("//*", "//[::]", StringComparison.Ordinal).Replace("//+", "//[::]", StringComparison.Ordinal);
            if (FindProblem(url, kind) is string problem)
            {
                reader.Report(key, text, problem);
            }
            else
            {
                urls.Add(url);
            }
        }

        return urls;
    }

    /// <summary>The address that a client on this machine reaches a listener by.</summary>
    public static string ForClients(Uri url) =>
        IPAddress.TryParse(url.IdnHost, out IPAddress? address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? $"http://{(address.Equals(IPAddress.Any) ? "127.0.0.1" : "[::1]")}:{url.Port}"
            : url.GetLeftPart(UriPartial.Authority);

    private static string? FindProblem(string text, ListenerKind kind)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url))
        {
            return "is not a URL such as http://127.0.0.1:8080";
        }

        bool isHttps = url.Scheme == Uri.UriSchemeHttps && kind == ListenerKind.AdminWithTls;
        if (url.Scheme != Uri.UriSchemeHttp && !isHttps)
        {
            return kind switch
            {
                ListenerKind.Admin => "is not http: for https, set Admin:Certificate and Admin:Key",
                ListenerKind.AdminWithTls => "is neither http nor https",
                _ => "is not http: OCSP answers are signed and served over plain http (RFC 6960 appendix A), put a proxy in front for https",
            };
        }

        if (url.PathAndQuery != "/" || url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            return "has more than address and port: take the rest away (paths belong into Ocsp:PathPrefixes)";
        }

        if (!IPAddress.TryParse(url.IdnHost, out IPAddress? address))
        {
            if (!url.IsLoopback)
            {
                return "has a host name: give the address to listen on, 0.0.0.0 for every IPv4 address or [::] for every address";
            }

            return url.Port == 0 ? "asks for any free port on a name: write http://127.0.0.1:0" : null;
        }

        return kind != ListenerKind.Ocsp && !isHttps && !IPAddress.IsLoopback(address)
            ? "is not the loopback address, and http shows the keys to everybody on the way: listen on 127.0.0.1 or [::1], or use https with Admin:Certificate and Admin:Key"
            : null;
    }
}
