using System.Globalization;
using System.Numerics;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;

namespace OcspCluster.Hosting.Crls;

/// <summary>What was taken of each issuer's CRLs: files <c>crls/{issuer}[~{scope}].json</c> of the data directory, each replaced as a whole.</summary>
public sealed class CrlRecordDirectory : ICrlRecords
{
    /// <summary>The directory's name within the data directory.</summary>
    public const string Name = "crls";

    private readonly string _directory;

    /// <summary>Of a data directory.</summary>
    public CrlRecordDirectory(string dataDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataDirectory);
        _directory = Path.Combine(dataDirectory, Name);
    }

    /// <inheritdoc/>
    public async ValueTask<CrlRecord?> FindAsync(IssuerId issuer, string scope, CancellationToken cancellationToken)
    {
        string file = FileOf(issuer, scope);
        try
        {
            if (!File.Exists(file))
            {
                return null;
            }

            Row row = JsonSerializer.Deserialize<Row>(await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false), JsonSerializerOptions.Web)
                ?? throw new JsonException("It is null.");
            return new CrlRecord
            {
                Scope = scope,
                Number = Parse(row.Number),
                CompleteNumber = Parse(row.CompleteNumber),
                ThisUpdate = row.ThisUpdate,
                NextUpdate = row.NextUpdate,
                Complete = Digest.TryParse(row.Complete, out Digest complete) ? complete : default,
                Delta = Digest.TryParse(row.Delta, out Digest delta) ? delta : default,
                TakenAt = row.TakenAt,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"'{file}' cannot be read: {e.Message} Where it is damaged, delete it: the next CRL is then taken as the first.", e);
        }
    }

    /// <inheritdoc/>
    public ValueTask SaveAsync(IssuerId issuer, CrlRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Row row = new(
            record.Number?.ToString(CultureInfo.InvariantCulture), record.CompleteNumber?.ToString(CultureInfo.InvariantCulture), record.ThisUpdate, record.NextUpdate,
            record.Complete.ToString(), record.Delta.ToString(), record.TakenAt);
        try
        {
            Directory.CreateDirectory(_directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"The directory '{_directory}' cannot be created: {e.Message}", e);
        }

        WholeFile.Write(FileOf(issuer, record.Scope), JsonSerializer.Serialize(row, JsonSerializerOptions.Web), mode: null, overwrite: true);
        return ValueTask.CompletedTask;
    }

    private static BigInteger? Parse(string? number) => number is null ? null : BigInteger.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);

    private string FileOf(IssuerId issuer, string scope) => Path.Combine(_directory, $"{issuer}{(scope.Length == 0 ? "" : "~" + scope)}.json");

    private sealed record Row(
        string? Number, string? CompleteNumber, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, string Complete, string Delta, DateTimeOffset TakenAt);
}
