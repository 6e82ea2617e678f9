using System.Buffers.Binary;
using System.Text;

namespace OcspCluster.Client;

/// <summary>
/// Keeps each answer in a file of its own, so that a command that is run again and again, or several programs, need not ask again. Thread-safe, and safe
/// between processes: a file is written aside and moved into its place. A file that cannot be read or written is as good as none.
/// </summary>
/// <remarks>Nothing is ever deleted but by its owner: files are named by key, and end in <c>.revocation</c>.</remarks>
public sealed class FileResponseStore : ResponseStore
{
    // "OCR1", fresh until and usable until in UTC ticks, length of the ETag, ETag in UTF-8, body
    private const int HeaderBytes = 4 + 8 + 8 + 4;
    private const int MaxFileBytes = 64 * 1024 * 1024;

    private readonly string _directory;

    /// <summary>A store in a directory, which is made when the first answer is kept.</summary>
    public FileResponseStore(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _directory = Path.GetFullPath(directory);
    }

    /// <inheritdoc/>
    public override async ValueTask<StoredResponse?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            FileInfo file = new(PathOf(key));
            return file is { Exists: true, Length: <= MaxFileBytes } ? Decode(await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask SaveAsync(string key, StoredResponse response, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(response);
        string temporary = Path.Combine(_directory, Path.GetRandomFileName());
        try
        {
            Directory.CreateDirectory(_directory);
            await File.WriteAllBytesAsync(temporary, Encode(response), cancellationToken).ConfigureAwait(false);
            File.Move(temporary, PathOf(key), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The status was told all the same; the next one asks again.
        }
        finally
        {
            Discard(temporary);
        }
    }

    private string PathOf(string key) => key.All(char.IsAsciiHexDigit)
        ? Path.Combine(_directory, key + ".revocation")
        : throw new ArgumentException("A key has hexadecimal digits only.", nameof(key));

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is where temporary files may stay.
        }
    }

    private static byte[] Encode(StoredResponse response)
    {
        byte[] etag = Encoding.UTF8.GetBytes(response.ETag ?? "");
        byte[] file = new byte[HeaderBytes + etag.Length + response.Body.Length];
        "OCR1"u8.CopyTo(file);
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(4), response.FreshUntil.UtcTicks);
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(12), response.UsableUntil.UtcTicks);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), etag.Length);
        etag.CopyTo(file, HeaderBytes);
        response.Body.CopyTo(file.AsMemory(HeaderBytes + etag.Length));
        return file;
    }

    private static StoredResponse? Decode(byte[] file)
    {
        if (file.Length < HeaderBytes || !file.AsSpan(0, 4).SequenceEqual("OCR1"u8))
        {
            return null;
        }

        long fresh = BinaryPrimitives.ReadInt64BigEndian(file.AsSpan(4));
        long usable = BinaryPrimitives.ReadInt64BigEndian(file.AsSpan(12));
        int etag = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(20));
        if (!IsTime(fresh) || !IsTime(usable) || etag < 0 || etag > file.Length - HeaderBytes)
        {
            return null;
        }

        return new StoredResponse
        {
            Body = file.AsMemory(HeaderBytes + etag),
            FreshUntil = new DateTimeOffset(fresh, TimeSpan.Zero),
            UsableUntil = new DateTimeOffset(usable, TimeSpan.Zero),
            ETag = etag == 0 ? null : Encoding.UTF8.GetString(file, HeaderBytes, etag),
        };
    }

    private static bool IsTime(long ticks) => ticks >= 0 && ticks <= DateTimeOffset.MaxValue.UtcTicks;
}
