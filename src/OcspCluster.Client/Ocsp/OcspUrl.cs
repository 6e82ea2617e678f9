namespace OcspCluster.Client;

/// <summary>The URL of a GET request: <c>{responder}/{url-encoding of the base64 of the request's DER}</c> (RFC 6960 appendix A.1).</summary>
internal static class OcspUrl
{
    /// <summary>The longest URL that goes by GET, scheme and host included (RFC 9919 §6).</summary>
    public const int MaxBytes = 255;

    /// <summary>The URL; null when the responder's address has a query, behind which there is no path to append to.</summary>
    public static Uri? TryCreate(Uri responder, ReadOnlySpan<byte> request)
    {
        if (responder.Query.Length > 0)
        {
            return null;
        }

        string address = responder.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped); // without fragment
        string slash = address.EndsWith('/') ? "" : "/";
        string path = Uri.EscapeDataString(Convert.ToBase64String(request)); // '+', '/' and '=' are all escaped: servers and proxies take each for something else

        // No canonicalization: what was escaped stays so.
        return new Uri(address + slash + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    /// <summary>Whether it is short enough for every cache and server on the way.</summary>
    public static bool IsShort(Uri url) => url.OriginalString.Length <= MaxBytes;
}
