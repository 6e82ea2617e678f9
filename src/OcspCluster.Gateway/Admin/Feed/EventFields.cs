using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What is wrong with an event as it was sent: the field, and a sentence that follows its name.</summary>
internal readonly record struct EventProblem(string Field, string Problem);

/// <summary>An event as it was sent, with the certificate that came with it.</summary>
internal sealed record SentEvent(RevocationEvent Event, IssuedCertificate? Certificate, bool CertificateDiffers)
{
    /// <summary>Why the certificate that came with it does not go with it or with the issuer; null when nothing is wrong, or none came.</summary>
    /// <param name="hasIssued">Whether a certificate is the issuer's.</param>
    public EventRefusal? FindRefusal(Func<IssuedCertificate, bool> hasIssued) => Certificate switch
    {
        null => null,
        _ when !hasIssued(Certificate) => EventRefusal.WrongIssuer,
        _ => CertificateDiffers ? EventRefusal.CertificateDiffers : null,
    };
}

/// <summary>Collects the fields of one event, strictly: every field is known, of its type, and there once.</summary>
internal sealed class EventFields
{
    private const int MaxSerialCharacters = 256;
    private const int MaxTimeOctets = 64;

    private static readonly string[] s_times = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private string? _id;
    private SerialNumber? _serial;
    private EventKind? _kind;
    private DateTimeOffset? _at;
    private RevocationReason? _reason;
    private DateTimeOffset? _invalidityDate;
    private DateTimeOffset? _notAfter;
    private IssuedCertificate? _certificate;

    /// <summary>The fields' names.</summary>
    public static ImmutableArray<string> Names { get; } = ["id", "serial", "kind", "at", "reason", "invalidityDate", "notAfter", "certificate"];

    public bool HasSerial => _serial is not null || _certificate is not null;

    public bool HasKind => _kind is not null;

    public bool HasAt => _at is not null;

    /// <summary>Takes one field. A null is an absent one.</summary>
    public EventProblem? Take(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null && Names.Contains(name))
        {
            return null;
        }

        string? problem = name switch
        {
            "id" => TakeId(value),
            "serial" => Text(value) is string text ? TakeSerial(text) : NotText,
            "kind" => TakeKind(value),
            "at" => TakeTime(value, ref _at),
            "reason" => TakeReason(value),
            "invalidityDate" => TakeTime(value, ref _invalidityDate),
            "notAfter" => TakeTime(value, ref _notAfter),
            "certificate" => Text(value) is string text ? TakeCertificate(text) : NotText,
            _ => $"is no field of an event; these are: {string.Join(", ", Names)}",
        };
        return problem is null ? null : new EventProblem(name, problem);
    }

    public string? TakeId(JsonElement value) => Text(value) is string text ? TakeId(text) : NotText;

    private string? TakeId(string text)
    {
        _id = text;
        return text switch
        {
            { Length: 0 or > StatusRules.MaxEventIdLength } => $"has {text.Length} characters: 1 to {StatusRules.MaxEventIdLength}",
            _ => null,
        };
    }

    public string? TakeSerial(string text)
    {
        if (text.Length > MaxSerialCharacters)
        {
            return $"has {text.Length} characters: {MaxSerialCharacters} at most";
        }

        if (!SerialText.TryParseHex(text, out SerialNumber serial))
        {
            return "is not a serial number in hexadecimal, such as \"04D2\" or \"04:D2\"";
        }

        _serial = serial;
        return null;
    }

    public string? TakeKind(string text)
    {
        _kind = text switch
        {
            "issued" => EventKind.Issued,
            "revoked" => EventKind.Revoked,
            "held" => EventKind.Held,
            "released" => EventKind.Released,
            _ => null,
        };
        return _kind is null ? "is none of issued, revoked, held, released" : null;
    }

    private string? TakeKind(JsonElement value)
    {
        // As senders write it, with nothing escaped: no text is made of it.
        _kind = value.ValueKind != JsonValueKind.String ? null
            : value.ValueEquals("issued"u8) ? EventKind.Issued
            : value.ValueEquals("revoked"u8) ? EventKind.Revoked
            : null;
        return _kind is not null ? null : Text(value) is string text ? TakeKind(text) : NotText;
    }

    public string? TakeAt(JsonElement value) => TakeTime(value, ref _at);

    /// <summary>Takes one field as the column of a table has it. An empty one is an absent one.</summary>
    public string? TakeText(string name, string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        return name switch
        {
            "id" => TakeId(text),
            "serial" => TakeSerial(text),
            "kind" => TakeKind(text),
            "at" => TakeTime(text, ref _at),
            "reason" => IsNumber(text, out _reason) ? null : TakeReason(text),
            "invalidityDate" => TakeTime(text, ref _invalidityDate),
            "notAfter" => TakeTime(text, ref _notAfter),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No field of an event in a table."),
        };
    }

    /// <summary>The same id for the same event, where a table has none: made of all that tells it from another one of its certificate.</summary>
    public void MakeId(string prefix)
    {
        if (_id is null && _serial is { } serial && _kind is { } kind && _at is { } at)
        {
            string octets = Convert.ToHexString(serial.Content);
            string reason = _reason is { } stated ? ":" + stated.ToName() : "";
            _id = string.Create(CultureInfo.InvariantCulture, $"{prefix}:{octets}:{kind.ToString().ToLowerInvariant()}:{at.UtcDateTime:yyyyMMdd'T'HHmmss.FFFFFFF}{reason}");
        }
    }

    /// <summary>Puts the event together, or says what is missing.</summary>
    public EventProblem? Finish(out SentEvent? sent)
    {
        sent = null;
        const string Missing = "is missing";
        if (_id is null)
        {
            return new EventProblem("id", Missing);
        }

        if (_kind is not { } kind)
        {
            return new EventProblem("kind", Missing);
        }

        if (_certificate is not null && kind != EventKind.Issued)
        {
            return new EventProblem("certificate", "belongs to an event of kind issued only");
        }

        if ((_serial ?? _certificate?.SerialNumber) is not { } serial)
        {
            return new EventProblem("serial", kind == EventKind.Issued ? "is missing, and so is certificate" : Missing);
        }

        if (_at is not { } at)
        {
            return new EventProblem("at", Missing);
        }

        RevocationEvent @event = new()
        {
            Id = _id,
            Serial = serial,
            Kind = kind,
            At = at,
            Reason = _reason,
            InvalidityDate = _invalidityDate,
            NotAfter = _notAfter ?? _certificate?.NotAfter,
        };
        sent = new SentEvent(@event, _certificate, _certificate is not null && (serial != _certificate.SerialNumber || @event.NotAfter != _certificate.NotAfter));
        return null;
    }

    /// <summary>A text; null when it is something else.</summary>
    public static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>What is said of a field that is no text.</summary>
    public const string NotText = "is not a string";

    private string? TakeReason(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && Enum.IsDefined((RevocationReason)number))
        {
            _reason = (RevocationReason)number;
            return null;
        }

        return TakeReason(Text(value));
    }

    private string? TakeReason(string? text)
    {
        if (RevocationReasonText.TryParseName(text, out RevocationReason reason))
        {
            _reason = reason;
            return null;
        }

        return $"is no reason of RFC 5280 section 5.3.1: 0 to 10 without 7, or one of {string.Join(", ", RevocationReasonText.Names)}";
    }

    // In JSON a number is a number; in a table everything is text.
    private static bool IsNumber(string text, out RevocationReason? reason)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && Enum.IsDefined((RevocationReason)number);
        reason = isNumber ? (RevocationReason)number : null;
        return isNumber;
    }

    private string? TakeCertificate(string text) =>
        CertificateText.TryDecode(text) is not { } der ? "is neither PEM nor base64"
        : IssuedCertificate.TryDecode(der, out _certificate) ? null
        : "is not the DER of a certificate (RFC 5280 section 4.1)";

    // .NET takes a time without offset for local time, and a date for midnight: nobody knows what the sender meant.
    private static string? TakeTime(JsonElement value, ref DateTimeOffset? time) =>
        TakeTime(value.ValueKind == JsonValueKind.String && HasOffset(value) && value.TryGetDateTimeOffset(out DateTimeOffset parsed) ? parsed : null, ref time);

    /// <summary>A time with offset as RFC 3339 has it; else what is wrong, in words that follow the field's name.</summary>
    public static string? TakeTime(string text, ref DateTimeOffset? time) =>
        TakeTime(HasOffset(text) && DateTimeOffset.TryParseExact(text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset parsed) ? parsed : null, ref time);

    private static string? TakeTime(DateTimeOffset? parsed, ref DateTimeOffset? time)
    {
        time = parsed?.ToUniversalTime();
        return parsed is null ? "is not a time with offset as RFC 3339 has it, such as \"2026-06-15T12:00:00Z\"" : null;
    }

    // The octets as they came, in their quotes: no text is made of them, unless something is escaped.
    private static bool HasOffset(JsonElement value)
    {
        ReadOnlySpan<byte> octets = JsonMarshal.GetRawUtf8Value(value)[1..^1];
        return octets.Contains((byte)'\\') ? HasOffset(Text(value)) : octets.Length <= MaxTimeOctets && HasOffset(Characters(octets, stackalloc char[MaxTimeOctets]));
    }

    private static ReadOnlySpan<char> Characters(ReadOnlySpan<byte> octets, Span<char> characters) =>
        Ascii.ToUtf16(octets, characters, out int count) == OperationStatus.Done ? characters[..count] : default;

    private static bool HasOffset(ReadOnlySpan<char> text) =>
        text is [_, _, _, _, '-', _, _, '-', _, _, 'T', _, _, ':', _, _, ':', _, _, .., 'Z'] or [_, _, _, _, '-', _, _, '-', _, _, 'T', _, _, ':', _, _, ':', _, _, .., '+' or '-', _, _, ':', _, _];
}
