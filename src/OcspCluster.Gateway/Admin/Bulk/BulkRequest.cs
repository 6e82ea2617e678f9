using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What is to be done with many certificates at once: read from the parameters of a request, strictly.</summary>
/// <param name="Id">The job's: the events' ids are made of it and the serials, so that the same call again goes on where it ended.</param>
/// <param name="Kind">Revoked, held or released.</param>
/// <param name="At">When; the same for all.</param>
/// <param name="Reason">Why.</param>
/// <param name="InvalidityDate">When the keys were compromised.</param>
/// <param name="IssuedFrom">Certificates issued at or after it; null where serials are listed.</param>
/// <param name="IssuedTo">Certificates issued before it; null for no end.</param>
/// <param name="IsDryRun">Whether it is only told what would happen.</param>
internal sealed record BulkRequest(
    string Id, EventKind Kind, DateTimeOffset At, RevocationReason? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset? IssuedFrom, DateTimeOffset? IssuedTo, bool IsDryRun)
{
    private const int MaxIdCharacters = 64;

    private static readonly string[] s_names = ["id", "kind", "at", "reason", "invalidityDate", "issuedFrom", "issuedTo", "dryRun"];

    /// <summary>Whether the certificates are chosen by when they were issued.</summary>
    public bool IsByTime => IssuedFrom is not null || IssuedTo is not null;

    /// <summary>Reads the parameters; null when one is wrong.</summary>
    public static BulkRequest? Read(IQueryCollection query, DateTimeOffset now, out IResult? problem)
    {
        problem = query.Keys.FirstOrDefault(name => !s_names.Contains(name)) is string unknown
            ? AdminProblems.BadParameter(unknown, $"is no parameter of a bulk operation; these are: {string.Join(", ", s_names)}")
            : query.FirstOrDefault(pair => pair.Value.Count > 1).Key is string twice ? AdminProblems.BadParameter(twice, "stands there more than once") : null;
        if (problem is not null)
        {
            return null;
        }

        string id = query["id"].ToString();
        EventKind? kind = query["kind"].ToString() switch
        {
            "revoked" => EventKind.Revoked,
            "held" => EventKind.Held,
            "released" => EventKind.Released,
            _ => null,
        };
        bool isDryRun = false;
        problem = id.Length is < 1 or > MaxIdCharacters || id.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                ? AdminProblems.BadParameter("id", $"is no job's id: 1 to {MaxIdCharacters} of letters, digits, '-', '_', '.'; the same one again goes on with the job")
            : kind is null ? AdminProblems.BadParameter("kind", "is none of revoked, held, released")
            : query.TryGetValue("dryRun", out var dryRun) && !bool.TryParse(dryRun, out isDryRun) ? AdminProblems.BadParameter("dryRun", "is neither true nor false")
            : null;
        RevocationReason? reason = ReadReason(query["reason"].ToString(), ref problem);
        DateTimeOffset? at = ReadTime(query, "at", ref problem);
        DateTimeOffset? invalidityDate = ReadTime(query, "invalidityDate", ref problem);
        DateTimeOffset? issuedFrom = ReadTime(query, "issuedFrom", ref problem);
        DateTimeOffset? issuedTo = ReadTime(query, "issuedTo", ref problem);
        if (problem is null && issuedTo <= issuedFrom)
        {
            problem = AdminProblems.BadParameter("issuedTo", "is not after issuedFrom");
        }

        return problem is null ? new BulkRequest(id, kind!.Value, at ?? now, reason, invalidityDate, issuedFrom, issuedTo, isDryRun) : null;
    }

    /// <summary>The event for one certificate.</summary>
    public RevocationEvent Event(SerialNumber serial) => new()
    {
        Id = EventImport.IdOf("bulk:" + Id, serial),
        Serial = serial,
        Kind = Kind,
        At = At,
        Reason = Reason,
        InvalidityDate = InvalidityDate,
    };

    private static RevocationReason? ReadReason(string text, ref IResult? problem)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (RevocationReasonText.TryParseName(text, out RevocationReason reason))
        {
            return reason;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && Enum.IsDefined((RevocationReason)number))
        {
            return (RevocationReason)number;
        }

        problem ??= AdminProblems.BadParameter("reason", $"is no reason of RFC 5280 section 5.3.1: 0 to 10 without 7, or one of {string.Join(", ", RevocationReasonText.Names)}");
        return null;
    }

    private static DateTimeOffset? ReadTime(IQueryCollection query, string name, ref IResult? problem)
    {
        if (query[name].ToString() is not { Length: > 0 } text)
        {
            return null;
        }

        DateTimeOffset? time = null;
        if (EventFields.TakeTime(text, ref time) is string fault)
        {
            problem ??= AdminProblems.BadParameter(name, fault);
        }

        return time;
    }
}

/// <summary>The serials of a bulk operation, as they are listed in a body.</summary>
internal static class SerialList
{
    /// <summary>Reads a JSON array of strings, or an object whose only property <c>serials</c> is one.</summary>
    /// <returns>Without serials when the body is not that; the problem says why.</returns>
    public static async Task<(List<ImportedSerial>? Serials, string? Problem)> ReadJsonAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument json = await JsonDocument.ParseAsync(body, EventReader.Strict, cancellationToken).ConfigureAwait(false);
            JsonElement array = json.RootElement;
            if (array.ValueKind == JsonValueKind.Object && array.EnumerateObject().Count() == 1 && array.TryGetProperty("serials", out JsonElement serials))
            {
                array = serials;
            }

            return array.ValueKind != JsonValueKind.Array
                ? (null, "is neither an array of serial numbers nor an object with serials alone")
                : ([.. array.EnumerateArray().Select((element, i) => Parse(i + 1, element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText(), element.ValueKind == JsonValueKind.String))], null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, $"is not JSON: {e.Message}");
        }
    }

    /// <summary>Reads a text: serial numbers separated by line ends or commas, behind <c>#</c> what is not meant.</summary>
    public static async IAsyncEnumerable<ImportedSerial> ReadTextAsync(
        Stream body, int maxLineBytes, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LineReader lines = new(System.IO.Pipelines.PipeReader.Create(body, new System.IO.Pipelines.StreamPipeReaderOptions(bufferSize: 1 << 16, leaveOpen: true)), maxLineBytes);
        List<ImportedSerial> read = [];
        bool goesOn = true;
        while (goesOn)
        {
            goesOn = await lines.ReadAsync(
                octets =>
                {
                    if (octets is not { } line)
                    {
                        read.Add(new ImportedSerial(lines.Line, default, "the line is too long"));
                        return;
                    }

                    string text = Encoding.UTF8.GetString(line);
                    foreach (string part in text.Split('#', 2)[0].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                    {
                        read.Add(Parse(lines.Line, part, true));
                    }
                },
                cancellationToken).ConfigureAwait(false);
            foreach (ImportedSerial one in read)
            {
                yield return one;
            }

            read.Clear();
        }
    }

    private static ImportedSerial Parse(long line, string text, bool isText) => isText && SerialText.TryParse(text, out SerialNumber serial)
        ? new ImportedSerial(line, serial, null)
        : new ImportedSerial(line, default, $"'{(text.Length <= 80 ? text : text[..80] + "…")}' is not a serial number: a string, hexadecimal as 04D2, 04:d2 or 0x4d2, or decimal as decimal:1234");
}

/// <summary>A serial of a list, or what is wrong with it.</summary>
internal readonly record struct ImportedSerial(long Line, SerialNumber Serial, string? Problem);
