using Microsoft.AspNetCore.Http;

namespace OcspCluster.Gateway;

/// <summary>The cookie that a session is known by, and whether a request that a browser sends with credentials of its own accord was meant by our page.</summary>
internal static class SessionCookie
{
    /// <summary>What our page sends with every request that changes something: no other origin can, without being asked for leave, and nobody is given it.</summary>
    public const string CsrfHeader = "X-OCSP-CSRF";

    private const int MaxCharacters = 128;

    /// <summary>The token that the browser sent; null when it sent none.</summary>
    public static string? Read(HttpContext http) => http.Request.Cookies.TryGetValue(NameFor(http), out string? token) && token.Length is > 0 and <= MaxCharacters ? token : null;

    /// <summary>Has the browser keep a token.</summary>
    public static void Write(HttpContext http, string token, TimeSpan lifetime) => http.Response.Cookies.Append(NameFor(http), token, Options(http, lifetime));

    /// <summary>Has the browser forget it.</summary>
    public static void Clear(HttpContext http) => http.Response.Cookies.Append(NameFor(http), "", Options(http, TimeSpan.Zero));

    /// <summary>Whether another site may have caused the request. Browsers say so in Sec-Fetch-Site; what does not say it is no browser of today, or no browser.</summary>
    /// <remarks>SameSite alone does not tell apart two ports of one host, which are one site.</remarks>
    public static bool IsFromElsewhere(HttpRequest request) => request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none");

    /// <summary>Whether the method changes nothing.</summary>
    public static bool IsSafe(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    // Cookies do not know ports: with the port in its name, two hosts on one machine do not end each other's sessions.
    private static string NameFor(HttpContext http) => $"{(http.Request.IsHttps ? "__Host-" : "")}ocsp-session-{http.Connection.LocalPort}";

    private static CookieOptions Options(HttpContext http, TimeSpan lifetime) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Path = "/", MaxAge = lifetime };
}
