using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OcspCluster.Dashboard;

/// <summary>One file of the page, as it goes over the wire. Immutable.</summary>
internal sealed class DashboardAsset
{
    private readonly byte[] _content;
    private readonly byte[] _compressed;
    private readonly string _mediaType;
    private readonly EntityTagHeaderValue _tag;
    private readonly EntityTagHeaderValue _compressedTag;

    public DashboardAsset(string mediaType, byte[] content)
    {
        _mediaType = mediaType;
        _content = content;
        _compressed = Compress(content);
        string version = VersionOf([content]);
        _tag = new EntityTagHeaderValue($"\"{version}\"");
        _compressedTag = new EntityTagHeaderValue($"\"{version}-gzip\""); // other bytes, another tag (RFC 9110 §8.8.3)
    }

    /// <summary>What was embedded, in the order of the names.</summary>
    public static IEnumerable<string> Names => Assembly.GetExecutingAssembly().GetManifestResourceNames().Order(StringComparer.Ordinal);

    /// <summary>Another one for every other content.</summary>
    public static string VersionOf(IEnumerable<byte[]> contents) => Convert.ToHexStringLower(SHA256.HashData([.. contents.SelectMany(SHA256.HashData)]))[..16];

    /// <summary>Reads what was embedded under a name.</summary>
    public static byte[] ReadEmbedded(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The dashboard was built without '{name}'.");
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Answers a request for it; with 304 where the browser has it.</summary>
    public IResult Answer(HttpContext context, string cacheControl)
    {
        bool takesGzip = context.Request.GetTypedHeaders().AcceptEncoding.Any(encoding => encoding.Value == "gzip" && encoding.Quality is not 0);
        context.Response.Headers.CacheControl = cacheControl;
        context.Response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (takesGzip)
        {
            context.Response.Headers.ContentEncoding = "gzip";
        }

        return Results.Bytes(takesGzip ? _compressed : _content, _mediaType, entityTag: takesGzip ? _compressedTag : _tag);
    }

    private static byte[] Compress(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.SmallestSize))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }
}
