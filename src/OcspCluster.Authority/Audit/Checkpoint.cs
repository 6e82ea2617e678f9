using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OcspCluster.Authority;

// The text is a checkpoint of C2SP tlog-checkpoint in a C2SP signed-note:
//
//   demo                                              origin: the issuer's id
//   1048576                                           how many entries
//   pJ2yqW…=                                          root, base64
//   time 2026-06-15T12:00:00Z                         extension line: when it was signed
//                                                     (blank line)
//   — demo 8vJk3TBF…                                  name, base64 of: key id (4 octets), signature
//
// Signature type 0x02 of signed-note: ECDSA P-256 over SHA-256 of the text up to the blank line, as DER; the key id is the
// first 4 octets of SHA-256 of the SubjectPublicKeyInfo. Ed25519, which that specification prefers, is not in .NET.

/// <summary>What a journal was at a moment: as many entries, under this root. Equal checkpoints are equal journals.</summary>
/// <param name="Issuer">Whose journal.</param>
/// <param name="Size">How many entries: the last position.</param>
/// <param name="Root">The root of their tree (<see cref="MerkleHash"/>).</param>
/// <param name="Time">When it was made. Whole seconds.</param>
public sealed record Checkpoint(IssuerId Issuer, long Size, Digest Root, DateTimeOffset Time)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const string TimePrefix = "time ";

    /// <summary>The text that is signed.</summary>
    internal string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Issuer}\n{Size}\n{Convert.ToBase64String(Root.ToArray())}\n{TimePrefix}{Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}\n");

    /// <summary>Reads the text that is signed. Further extension lines are allowed, and mean nothing to us.</summary>
    internal static Checkpoint? FromText(string text)
    {
        string[] lines = text.Split('\n');
        Span<byte> root = stackalloc byte[Digest.SizeInBytes];
        bool isCheckpoint = lines.Length >= 5
            && lines[^1].Length == 0
            && IssuerId.IsValid(lines[0])
            && (lines[1] == "0" || !lines[1].StartsWith('0'))
            && lines[2].Length == Base64.GetMaxEncodedToUtf8Length(Digest.SizeInBytes)
            && Convert.TryFromBase64String(lines[2], root, out int written)
            && written == Digest.SizeInBytes
            && lines[3].StartsWith(TimePrefix, StringComparison.Ordinal);
        return isCheckpoint
            && long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            && TryParseTime(lines[3][TimePrefix.Length..], out DateTimeOffset time)
            ? new Checkpoint(new IssuerId(lines[0]), size, new Digest(root), time)
            : null;
    }

    private static bool TryParseTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}

/// <summary>What signer and verifier share of the note's form.</summary>
internal static class SignedNote
{
    public const string SignaturePrefix = "— ";
    public const int KeyIdLength = 4;

    public static byte[] KeyId(ECDsa key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..KeyIdLength];

    public static void RequireP256(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value != "1.2.840.10045.3.1.7")
        {
            throw new CryptographicException("The journal's key must be an ECDSA key on the curve P-256.");
        }
    }
}

/// <summary>Signs checkpoints with the journal's own key. Thread-safe.</summary>
public sealed class CheckpointSigner
{
    private readonly ECDsa _key;
    private readonly byte[] _keyId;
    private readonly Lock _gate = new();

    /// <summary>With a private key, which stays the caller's to dispose.</summary>
    /// <exception cref="CryptographicException">It is not on P-256.</exception>
    public CheckpointSigner(ECDsa key)
    {
        SignedNote.RequireP256(key);
        _key = key;
        _keyId = SignedNote.KeyId(key);
    }

    /// <summary>Signs.</summary>
    /// <returns>The note: several lines of text, each ended by U+000A.</returns>
    public string Sign(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        string text = checkpoint.ToText();
        byte[] signature;
        lock (_gate)
        {
            signature = _key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }

        return $"{text}\n{SignedNote.SignaturePrefix}{checkpoint.Issuer} {Convert.ToBase64String([.. _keyId, .. signature])}\n";
    }
}

/// <summary>Verifies checkpoints with the public key alone. Thread-safe.</summary>
public sealed class CheckpointVerifier
{
    private const int MaxNoteLength = 64 * 1024;
    private const int MaxSignatures = 16;

    private readonly ECDsa _key;
    private readonly byte[] _keyId;
    private readonly Lock _gate = new();

    /// <summary>With a key, of which only the public part is used, and which stays the caller's to dispose.</summary>
    /// <exception cref="CryptographicException">It is not on P-256.</exception>
    public CheckpointVerifier(ECDsa key)
    {
        SignedNote.RequireP256(key);
        _key = key;
        _keyId = SignedNote.KeyId(key);
    }

    /// <summary>Reads a note and verifies that our key signed it. Signatures of other keys (witnesses) are left aside.</summary>
    /// <returns>The checkpoint; null when it is malformed, our key did not sign it, or the signature is wrong.</returns>
    public Checkpoint? Verify(string? note)
    {
        int end = note?.Length <= MaxNoteLength ? note.LastIndexOf("\n\n", StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            return null;
        }

        string text = note![..(end + 1)];
        string[] signatures = note[(end + 2)..].Split('\n');
        if (signatures.Length > MaxSignatures + 1 || signatures[^1].Length != 0 || Checkpoint.FromText(text) is not { } checkpoint)
        {
            return null;
        }

        bool isSigned = false;
        foreach (string line in signatures[..^1])
        {
            string[] parts = line.Split(' ');
            if (parts.Length != 3 || parts[0] + " " != SignedNote.SignaturePrefix || Decode(parts[2]) is not { Length: > SignedNote.KeyIdLength } octets)
            {
                return null;
            }

            if (parts[1] != checkpoint.Issuer.ToString() || !octets.AsSpan(0, SignedNote.KeyIdLength).SequenceEqual(_keyId))
            {
                continue;
            }

            if (!IsSignature(text, octets.AsSpan(SignedNote.KeyIdLength)))
            {
                return null;
            }

            isSigned = true;
        }

        return isSigned ? checkpoint : null;
    }

    private static byte[]? Decode(string base64)
    {
        byte[] octets = new byte[base64.Length];
        // One text for one value: base64 leaves bits over that a reader could ignore, and blanks that it does.
        return Convert.TryFromBase64String(base64, octets, out int written) && Convert.ToBase64String(octets.AsSpan(0, written)) == base64 ? octets[..written] : null;
    }

    private bool IsSignature(string text, ReadOnlySpan<byte> signature)
    {
        lock (_gate)
        {
            return _key.VerifyData(Encoding.UTF8.GetBytes(text), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
    }
}
