using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>One certificate of an OpenSSL index.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Serial">The certificate.</param>
/// <param name="NotAfter">The end of its validity.</param>
/// <param name="State">Good for <c>V</c> and <c>E</c>; revoked, or held, for <c>R</c>.</param>
/// <param name="RevocationTime">Since when it is revoked or held; null when it is good.</param>
/// <param name="Reason">Why it is revoked; null when no reason is stated.</param>
/// <param name="InvalidityDate">When the key was compromised, where the index tells it (<c>keyTime</c>, <c>CAkeyTime</c>).</param>
public sealed record OpenSslIndexEntry(
    long Line,
    SerialNumber Serial,
    DateTimeOffset NotAfter,
    CertificateState State,
    DateTimeOffset? RevocationTime = null,
    RevocationReason? Reason = null,
    DateTimeOffset? InvalidityDate = null);

/// <summary>One line of an OpenSSL index: a certificate or what is wrong. Exactly one of the two.</summary>
public readonly record struct OpenSslIndexLine(OpenSslIndexEntry? Entry, ImportProblem? Problem);

/// <summary>
/// Reads the <c>index.txt</c> of <c>openssl ca</c>: six columns with tabs between them, which are status (<c>V</c>alid, <c>R</c>evoked,
/// <c>E</c>xpired), expiry, revocation, serial number in hexadecimal, file name, subject.
/// </summary>
/// <remarks>
/// Times are UTCTime or GeneralizedTime with seconds and <c>Z</c>. The revocation is <c>time[,reason[,extra]]</c>; the extra is a hold
/// instruction's OID or the time of a compromise. Formats: <c>apps/ca.c</c> (make_revoked, unpack_revinfo) and <c>crypto/txt_db</c> of OpenSSL.
/// </remarks>
public static class OpenSslIndex
{
    /// <summary>Reads a file, a line at a time. Problems are among the results and end nothing.</summary>
    public static async IAsyncEnumerable<OpenSslIndexLine> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Latin-1 takes every octet: a subject in whatever encoding is none of our business, and no reason to stop.
        using StreamReader reader = new(stream, Encoding.Latin1, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16, leaveOpen: true);
        for (long number = 1; await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            if (line.Length == 0 || line[0] == '#') // as TXT_DB_read skips comments
            {
                continue;
            }

            yield return ReadLine(number, line);
        }
    }

    /// <summary>Reads one line that is neither empty nor a comment.</summary>
    public static OpenSslIndexLine ReadLine(long number, ReadOnlySpan<char> line)
    {
        Span<Range> columns = stackalloc Range[7];
        int count = line.Split(columns, '\t'); // the seventh would hold the rest
        if (count < 6)
        {
            return Wrong(number, $"has {count} columns with tabs between them; an index has 6");
        }

        ReadOnlySpan<char> status = line[columns[0]];
        ReadOnlySpan<char> revocation = line[columns[2]];
        if (!SerialNumber.TryParseHex(line[columns[3]], out SerialNumber serial))
        {
            return Wrong(number, $"has the serial number '{line[columns[3]]}', which is not hexadecimal");
        }

        if (!TryReadTime(line[columns[1]], out DateTimeOffset notAfter))
        {
            return Wrong(number, $"has the expiry '{line[columns[1]]}', which is neither YYMMDDHHMMSSZ nor YYYYMMDDHHMMSSZ");
        }

        return status switch
        {
            "V" or "E" when revocation.IsEmpty => new(new OpenSslIndexEntry(number, serial, notAfter, CertificateState.Good), null),
            "V" or "E" => Wrong(number, $"has status {status} and a revocation '{revocation}'; only status R has one"),
            "R" => ReadRevocation(new OpenSslIndexEntry(number, serial, notAfter, CertificateState.Revoked), revocation),
            _ => Wrong(number, $"has the status '{status}'; an index knows V, R and E"),
        };
    }

    private static OpenSslIndexLine ReadRevocation(OpenSslIndexEntry entry, ReadOnlySpan<char> revocation)
    {
        Span<Range> parts = stackalloc Range[3];
        int count = revocation.Split(parts, ',');
        ReadOnlySpan<char> reason = count > 1 ? revocation[parts[1]] : "";
        ReadOnlySpan<char> extra = count > 2 ? revocation[parts[2]] : "";
        if (!TryReadTime(count > 0 ? revocation[parts[0]] : "", out DateTimeOffset time))
        {
            return Wrong(entry.Line, $"has the revocation '{revocation}', which does not begin with a time YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ");
        }

        entry = entry with { RevocationTime = time };
        return reason switch
        {
            _ when Is(reason, "keyTime") || Is(reason, "CAkeyTime") => ReadCompromise(entry, Is(reason, "keyTime"), extra),
            _ when Is(reason, "holdInstruction") && !extra.IsEmpty || Is(reason, "certificateHold") && extra.IsEmpty =>
                new(entry with { State = CertificateState.Held, Reason = RevocationReason.CertificateHold }, null),
            _ when Is(reason, "holdInstruction") => Wrong(entry.Line, "has the reason holdInstruction without the instruction's OID"),
            _ when Is(reason, "removeFromCRL") => Wrong(entry.Line, "has the reason removeFromCRL, which belongs into delta CRLs only: make the line V, or give it a reason"),
            _ when !extra.IsEmpty => Wrong(entry.Line, $"has the reason '{reason}', which takes nothing behind it, and '{extra}' behind it"),
            _ when TryReadReason(reason, out RevocationReason? known) => new(entry with { Reason = known }, null),
            _ => Wrong(entry.Line, $"has the reason '{reason}', which OpenSSL does not know"),
        };
    }

    private static OpenSslIndexLine ReadCompromise(OpenSslIndexEntry entry, bool ofKey, ReadOnlySpan<char> extra) =>
        TryReadTime(extra, out DateTimeOffset compromise)
            ? new(entry with { Reason = ofKey ? RevocationReason.KeyCompromise : RevocationReason.CaCompromise, InvalidityDate = compromise }, null)
            : Wrong(entry.Line, $"has the time of compromise '{extra}', which is not YYYYMMDDHHMMSSZ");

    private static bool TryReadReason(ReadOnlySpan<char> text, out RevocationReason? reason)
    {
        reason = text switch
        {
            _ when Is(text, "keyCompromise") => RevocationReason.KeyCompromise,
            _ when Is(text, "CACompromise") => RevocationReason.CaCompromise,
            _ when Is(text, "affiliationChanged") => RevocationReason.AffiliationChanged,
            _ when Is(text, "superseded") => RevocationReason.Superseded,
            _ when Is(text, "cessationOfOperation") => RevocationReason.CessationOfOperation,
            _ when Is(text, "privilegeWithdrawn") => RevocationReason.PrivilegeWithdrawn,
            _ when Is(text, "AACompromise") => RevocationReason.AaCompromise,
            _ => null,
        };
        return reason is not null || text.IsEmpty || Is(text, "unspecified");
    }

    private static bool Is(ReadOnlySpan<char> text, string reason) => text.Equals(reason, StringComparison.OrdinalIgnoreCase); // as ca.c compares

    // UTCTime's years 50 to 99 are of the 20th century (RFC 5280 §4.1.2.5.1).
    private static bool TryReadTime(ReadOnlySpan<char> text, out DateTimeOffset time)
    {
        time = default;
        if (text is not [.., 'Z'] || text[..^1].ContainsAnyExceptInRange('0', '9') || text.Length is not (13 or 15))
        {
            return false;
        }

        Span<char> full = stackalloc char[14];
        if (text.Length == 13)
        {
            (text[0] >= '5' ? "19" : "20").CopyTo(full);
            text[..12].CopyTo(full[2..]);
        }
        else
        {
            text[..14].CopyTo(full);
        }

        return DateTimeOffset.TryParseExact(full, "yyyyMMddHHmmss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    private static OpenSslIndexLine Wrong(long line, string problem) => new(null, new ImportProblem(line, $"Line {line} {problem}."));
}
