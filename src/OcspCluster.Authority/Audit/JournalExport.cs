using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// One JSON object to a line (NDJSON, UTF-8, U+000A):
//
//   {"format":"ocspcluster-journal/1","issuer":"demo"}
//   {"position":1,"event":{"id":"…","serial":"00ff","kind":"issued","at":"2026-06-15T12:00:00.1234567Z","notAfter":"…"},
//    "receivedAt":"…","submitter":{"credential":"ca-one","remoteAddress":"192.0.2.7"},
//    "status":{"state":"good","notAfter":"…","recordedAt":"…"},"hash":"…"}           (on one line)
//   …
//   {"checkpoint":"demo\n1048576\n…"}
//
// A member that is absent is null. serial: the content octets of the DER INTEGER. reason: the number of CRLReason. Instants
// are UTC to 100 ns. So every field of JournalHash is there, exactly, and whoever has the public key needs nothing else.

/// <summary>Writes a journal and its checkpoint for a verifier who does not have the store (<see cref="JournalExportVerifier"/>).</summary>
public static class JournalExport
{
    internal const string Format = "ocspcluster-journal/1";
    internal const string InstantFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    private const int FlushAtBytes = 64 * 1024;

    // No HTML comes near this; the default escapes every letter beyond ASCII.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes what a checkpoint was signed for.</summary>
    /// <param name="store">The store.</param>
    /// <param name="checkpoint">How much: the issuer and the size.</param>
    /// <param name="note">The checkpoint as it was signed.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RevocationStoreException">The journal cannot be read, or is shorter than the checkpoint.</exception>
    public static async Task WriteAsync(IAuditStore store, Checkpoint checkpoint, string note, Stream output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(output);
        ArrayBufferWriter<byte> buffer = new(2 * FlushAtBytes);
        await using Utf8JsonWriter json = new(buffer, s_options);
        WriteLine(json, buffer, () =>
        {
            json.WriteString("format", Format);
            json.WriteString("issuer", checkpoint.Issuer.ToString());
        });

        long position = 0;
        await foreach (ChainedEntry chained in store.ReadChainAsync(checkpoint.Issuer, 0, cancellationToken).ConfigureAwait(false))
        {
            if (position == checkpoint.Size)
            {
                break;
            }

            position++;
            WriteLine(json, buffer, () => WriteEntry(json, chained));
            if (buffer.WrittenCount >= FlushAtBytes)
            {
                await output.WriteAsync(buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
                buffer.ResetWrittenCount();
            }
        }

        if (position != checkpoint.Size)
        {
            throw new RevocationStoreException($"The journal of issuer '{checkpoint.Issuer}' has {position} entries, and its checkpoint was signed for {checkpoint.Size}. Run the audit.");
        }

        WriteLine(json, buffer, () => json.WriteString("checkpoint", note));
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One entry as a line of the export has it, without the line break.</summary>
    public static byte[] Serialize(ChainedEntry chained)
    {
        ArgumentNullException.ThrowIfNull(chained);
        ArrayBufferWriter<byte> buffer = new(1024);
        using Utf8JsonWriter json = new(buffer, s_options);
        json.WriteStartObject();
        WriteEntry(json, chained);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    internal static string KindName(EventKind kind) => kind switch
    {
        EventKind.Issued => "issued",
        EventKind.Revoked => "revoked",
        EventKind.Held => "held",
        EventKind.Released => "released",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of event."),
    };

    internal static string StateName(CertificateState state) => state switch
    {
        CertificateState.Good => "good",
        CertificateState.Revoked => "revoked",
        CertificateState.Held => "held",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };

    private static void WriteLine(Utf8JsonWriter json, ArrayBufferWriter<byte> buffer, Action writeMembers)
    {
        json.WriteStartObject();
        writeMembers();
        json.WriteEndObject();
        json.Flush();
        json.Reset();
        buffer.Write("\n"u8);
    }

    private static void WriteEntry(Utf8JsonWriter json, ChainedEntry chained)
    {
        JournalEntry entry = chained.Entry;
        json.WriteNumber("position", entry.Position);
        json.WriteStartObject("event");
        json.WriteString("id", entry.Event.Id);
        json.WriteString("serial", Convert.ToHexStringLower(entry.Event.Serial.Content));
        json.WriteString("kind", KindName(entry.Event.Kind));
        WriteInstant(json, "at", entry.Event.At);
        WriteReason(json, entry.Event.Reason);
        WriteInstant(json, "invalidityDate", entry.Event.InvalidityDate);
        WriteInstant(json, "notAfter", entry.Event.NotAfter);
        json.WriteEndObject();
        WriteInstant(json, "receivedAt", entry.ReceivedAt);
        json.WriteStartObject("submitter");
        WriteText(json, "credential", entry.Submitter.Credential);
        WriteText(json, "remoteAddress", entry.Submitter.RemoteAddress);
        json.WriteEndObject();
        json.WriteStartObject("status");
        json.WriteString("state", StateName(entry.Status.State));
        WriteInstant(json, "revocationTime", entry.Status.RevocationTime);
        WriteReason(json, entry.Status.Reason);
        WriteInstant(json, "invalidityDate", entry.Status.InvalidityDate);
        WriteInstant(json, "notAfter", entry.Status.NotAfter);
        WriteInstant(json, "recordedAt", entry.Status.RecordedAt);
        json.WriteEndObject();
        json.WriteString("hash", chained.Hash.ToString());
    }

    private static void WriteInstant(Utf8JsonWriter json, string name, DateTimeOffset? instant)
    {
        if (instant is { } value)
        {
            json.WriteString(name, value.UtcDateTime.ToString(InstantFormat, CultureInfo.InvariantCulture));
        }
    }

    private static void WriteReason(Utf8JsonWriter json, RevocationReason? reason)
    {
        if (reason is { } value)
        {
            json.WriteNumber("reason", (int)value);
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }
}
