namespace OcspCluster.Testing;

/// <summary>An HTTP response as it stood on the wire.</summary>
/// <param name="StatusLine">For example <c>HTTP/1.1 200 OK</c>.</param>
/// <param name="Headers">Names and values, in order, as sent.</param>
/// <param name="Body">The octets of the body, chunked coding undone.</param>
public sealed record RawHttpResponse(string StatusLine, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The three digits.</summary>
    public int StatusCode { get; } = int.Parse(StatusLine.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The value of a header that stands at most once; null when it is absent.</summary>
    public string? Header(string name) => All(name).SingleOrDefault();

    /// <summary>All values of a header.</summary>
    public IEnumerable<string> All(string name) =>
        Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value);

    /// <summary>The elements of a comma-separated header.</summary>
    public IReadOnlyList<string> List(string name) =>
        [.. All(name).SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Cache-Control's max-age in seconds; null when it is absent.</summary>
    public int? MaxAge => List("Cache-Control").SingleOrDefault(directive => directive.StartsWith("max-age=", StringComparison.Ordinal)) is { } maxAge
        ? int.Parse(maxAge.AsSpan(8), System.Globalization.CultureInfo.InvariantCulture)
        : null;
}
