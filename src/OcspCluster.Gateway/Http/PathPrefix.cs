using System.Buffers;

namespace OcspCluster.Gateway;

/// <summary>The rule for the paths that OCSP is answered under.</summary>
internal static class PathPrefix
{
    public const string Rule = "a path that begins with '/' and has no '?', '#', '%', '{', '}' or blank";

    private static readonly SearchValues<char> s_forbidden = SearchValues.Create("?#%{} ");

    public static bool IsValid(string prefix) => prefix.StartsWith('/') && !prefix.AsSpan().ContainsAny(s_forbidden);
}
