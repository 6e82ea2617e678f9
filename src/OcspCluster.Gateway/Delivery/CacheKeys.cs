using System.Security.Cryptography.X509Certificates;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>
/// The keys under which HTTP caches keep the answers about a certificate: the URLs that GET requests for it have (RFC 6960 §A.1).
/// </summary>
/// <remarks>
/// Asked about is one certificate, without extensions and without a signature, as cacheable requests are (RFC 9919 §3.1): by each hash algorithm, with NULL and with absent parameters, by each
/// name of the issuer, in each of the spellings below. What cannot be listed: requests for several certificates, with a nonce or other extensions (those answers are not to be cached, or
/// nobody else asks for them), and POST, which caches keep under no key that could be made from outside.
/// </remarks>
internal static class CacheKeys
{
    // How clients write '/', '+' and '=' of base64 into a path; null is as it is. Named for whose function does so.
    private static readonly (string? Slash, string? Plus, string? Padding)[] s_spellings =
    [
        (null, null, null), // none: curl, encodeURI
        ("%2F", "%2B", "%3D"), // RFC 3986: Uri.EscapeDataString, encodeURIComponent, URLEncoder, url.QueryEscape
        ("%2f", "%2b", "%3d"), // in small letters: HttpUtility.UrlEncode
        ("%2F", null, null), // what a path segment must: url.PathEscape
        ("%2f", null, null),
        (null, "%2B", "%3D"), // all but the slash: urllib.parse.quote
        (null, "%2b", "%3d"),
        ("%2F", "%2B", null), // all but the padding
        ("%2f", "%2b", null),
    ];

    /// <summary>The keys of one certificate, each once.</summary>
    /// <param name="issuer">Who issued it.</param>
    /// <param name="serial">Which one.</param>
    /// <param name="hashes">The hash algorithms that requests are understood by.</param>
    /// <param name="publicUrls">The URLs that relying parties use. One that ends in two slashes is of clients that put a second one.</param>
    public static IEnumerable<string> Of(Issuer issuer, SerialNumber serial, IReadOnlyList<CertIdHash> hashes, IReadOnlyList<Uri> publicUrls)
    {
        foreach (string segment in SegmentsOf(issuer, serial, hashes).Distinct(StringComparer.Ordinal).ToArray())
        {
            foreach (Uri url in publicUrls)
            {
                string text = url.OriginalString;
                yield return (text.EndsWith('/') ? text[..^1] : text) + "/" + segment;
            }
        }
    }

    /// <summary>A key's target on the request line.</summary>
    public static string PathOf(string key)
    {
        int path = key.IndexOf('/', key.IndexOf("://", StringComparison.Ordinal) + 3);
        return key[path..];
    }

    private static IEnumerable<string> SegmentsOf(Issuer issuer, SerialNumber serial, IReadOnlyList<CertIdHash> hashes)
    {
        foreach (X509Certificate2 certificate in issuer.Certificates)
        {
            foreach (CertIdHash hash in hashes)
            {
                foreach (bool nullParameters in new[] { true, false })
                {
                    CertId certId = CertId.Create(certificate, serial, hash, nullParameters);
                    string base64 = Convert.ToBase64String(new OcspRequestBuilder().Add(certId).Build().Encoded.Span);
                    foreach ((string? slash, string? plus, string? padding) in s_spellings)
                    {
                        yield return Spell(base64, slash, plus, padding);
                    }
                }
            }
        }
    }

    private static string Spell(string base64, string? slash, string? plus, string? padding)
    {
        StringBuilder text = new(base64.Length + 32);
        foreach (char c in base64)
        {
            string? escape = c switch { '/' => slash, '+' => plus, '=' => padding, _ => null };
            _ = escape is null ? text.Append(c) : text.Append(escape);
        }

        return text.ToString();
    }
}
