using System.Net;
using System.Net.Http.Headers;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Where a CRL comes from, and how it is fetched.</summary>
public sealed record CrlSourceOptions
{
    /// <summary>The complete CRL: an absolute path, or an http or https URL.</summary>
    public required string Location { get; init; }

    /// <summary>The delta CRL; null for none.</summary>
    public string? Delta { get; init; }

    /// <summary>How often it is looked for. 10 seconds to 7 days. Default 1 hour; sooner where it ends sooner.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long one transfer may take. 1 second to 1 hour. Default 1 minute.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest CRL, in octets. 1,024 to 268,435,456. Default 67,108,864.</summary>
    public int MaxBytes { get; init; } = 64 * 1024 * 1024;
}

/// <summary>Fetches a CA's complete CRL again and again, and the delta where there is one, and has them imported. A complete one is only fetched where it changed (RFC 9110 §13).</summary>
internal sealed class CrlSource(Issuer issuer, CrlSourceOptions options, CrlImport import, HttpClient client, TimeProvider clock)
    : RevocationSource(issuer.Id, new SourceState("crl", options.Location), options.Interval, clock)
{
    private readonly Dictionary<string, (EntityTagHeaderValue? Tag, DateTimeOffset? Modified)> _seen = new(StringComparer.Ordinal);

    private protected override async Task<SourceState> LookAsync(SourceState state, CancellationToken cancellationToken)
    {
        state = await TakeAsync(options.Location, state with { Error = null }, cancellationToken).ConfigureAwait(false);
        return options.Delta is string delta ? await TakeAsync(delta, state, cancellationToken).ConfigureAwait(false) : state;
    }

    private async Task<SourceState> TakeAsync(string location, SourceState state, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte>? bytes, (EntityTagHeaderValue? Tag, DateTimeOffset? Modified) version) = await FetchAsync(location, cancellationToken).ConfigureAwait(false);
        if (bytes is null)
        {
            return state; // not modified
        }

        CertificateList crl;
        try
        {
            crl = CrlImport.Decode(bytes.Value);
        }
        catch (OcspFormatException e)
        {
            throw new SourceException($"{location}: this is no CRL that can be used ({e.Error}): {e.Message}");
        }

        CrlImportResult result = await import.RunAsync(crl, cancellationToken).ConfigureAwait(false);

        // A cache on the way may give one that is older than what was taken: nothing is lost, and the next one will do.
        bool isLate = result.Refusal == CrlRefusal.Older && crl.NextUpdate >= Clock.GetUtcNow();
        if (result.Refusal is { } refusal && !isLate)
        {
            throw new SourceException($"{location}: {refusal.ToSentence()}.");
        }

        _seen[location] = version;
        return isLate ? state : state with
        {
            Number = result.IsNews || state.Number is null ? crl.CrlNumber : state.Number,
            NextUpdate = result.IsNews || state.NextUpdate is null ? crl.NextUpdate : state.NextUpdate,
            Applied = state.Applied + result.Progress.Applied,
            Problem = result.IsNews ? (import.Problems.Count > 0 ? $"{result.Progress.Problems} entries were not taken, the first: {import.Problems[0].Problem}" : null) : state.Problem,
        };
    }

    private async Task<(ReadOnlyMemory<byte>? Bytes, (EntityTagHeaderValue?, DateTimeOffset?) Version)> FetchAsync(string location, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(options.Timeout);
        try
        {
            return Uri.TryCreate(location, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
                ? await GetAsync(new Uri(location), late.Token).ConfigureAwait(false)
                : await ReadAsync(location, late.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"{location} cannot be read: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SourceException($"{location} took longer than {options.Timeout}.");
        }
    }

    private async Task<(ReadOnlyMemory<byte>?, (EntityTagHeaderValue?, DateTimeOffset?))> GetAsync(Uri uri, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, uri);
        if (_seen.TryGetValue(uri.OriginalString, out (EntityTagHeaderValue? Tag, DateTimeOffset? Modified) seen))
        {
            if (seen.Tag is not null)
            {
                request.Headers.IfNoneMatch.Add(seen.Tag);
            }

            request.Headers.IfModifiedSince = seen.Modified;
        }

        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotModified)
        {
            return (null, seen);
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new SourceException($"{uri} answered {(int)response.StatusCode} {response.ReasonPhrase}.");
        }

        using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return (await ReadAllAsync(uri.OriginalString, body, cancellationToken).ConfigureAwait(false), (response.Headers.ETag, StrongLastModified(response)));
    }

    // A date of whole seconds tells two CRLs apart only when the answer came later than in the second in which the first was written (RFC 9110 §8.8.2.2).
    private static DateTimeOffset? StrongLastModified(HttpResponseMessage response) =>
        response.Content.Headers.LastModified is { } modified && response.Headers.Date >= modified.AddSeconds(1) ? modified : null;

    private async Task<(ReadOnlyMemory<byte>?, (EntityTagHeaderValue?, DateTimeOffset?))> ReadAsync(string file, CancellationToken cancellationToken)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return (await ReadAllAsync(file, stream, cancellationToken).ConfigureAwait(false), default);
    }

    private async Task<ReadOnlyMemory<byte>> ReadAllAsync(string location, Stream stream, CancellationToken cancellationToken) =>
        await FileImport.ReadAsync(stream, options.MaxBytes, cancellationToken).ConfigureAwait(false)
        ?? throw new SourceException($"{location} has more than {options.MaxBytes} octets (MaxBytes).");
}
