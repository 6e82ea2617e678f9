using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

// openssl ca writes a new index and gives it the old one's name; other programs append. Both are seen as lines that were not there the last time: of each line that was
// taken eight octets of its hash are kept, some 40 MB for a million, so that one revocation costs one look at the store and not a million. After a start all is compared.
//
// The last line may be half written: without a line end it is left until the file has stood still for one interval. A line that is wrong is told of every time there is
// something new, and tried again every time.

/// <summary>Watches an OpenSSL index, and has what is new in it imported.</summary>
internal sealed class IndexSource(IssuerId issuer, string file, TimeSpan interval, IRevocationAuthority authority, IRevocationStore store, TimeProvider clock)
    : RevocationSource(issuer, new SourceState("index", file), interval, clock)
{
    private HashSet<long> _taken = [];
    private (long Length, DateTime Written)? _seen;
    private bool _hasHalfLine;

    private protected override async Task<SourceState> LookAsync(SourceState state, CancellationToken cancellationToken)
    {
        using FileStream stream = Open();
        (long, DateTime) version = (stream.Length, File.GetLastWriteTimeUtc(stream.SafeFileHandle));
        bool stoodStill = _seen == version;
        if (stoodStill && !_hasHalfLine && state.Error is null)
        {
            return state;
        }

        IndexImport import = new(authority, Issuer, store, Clock);
        HashSet<long> lines = new(_taken.Count);
        _hasHalfLine = false;
        ImportProgress progress = await import.RunAsync(ReadAsync(stream, stoodStill, lines, cancellationToken), cancellationToken).ConfigureAwait(false);
        _taken = lines;
        _seen = version;
        return state with
        {
            Error = null,
            Applied = state.Applied + progress.Applied,
            Problem = import.Problems.Count > 0 ? $"{progress.Problems} lines were not taken, the first: {import.Problems[0].Problem}" : null,
        };
    }

    private FileStream Open()
    {
        try
        {
            return new FileStream(State.Location, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"it cannot be read: {e.Message}");
        }
    }

    private async IAsyncEnumerable<OpenSslIndexLine> ReadAsync(Stream stream, bool takesHalfLine, HashSet<long> lines, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool endsWithLine = EndsWithLine(stream);
        using StreamReader reader = new(stream, Encoding.Latin1, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16, leaveOpen: true);
        string? line = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        for (long number = 1; line is not null; number++)
        {
            string? next = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (next is null && !endsWithLine && !takesHalfLine)
            {
                _hasHalfLine = true;
                yield break;
            }

            if (line.Length > 0 && line[0] != '#')
            {
                long hash = BitConverter.ToInt64(SHA256.HashData(Encoding.Latin1.GetBytes(line)));
                OpenSslIndexLine read = _taken.Contains(hash) ? default : OpenSslIndex.ReadLine(number, line);
                if (read.Problem is null)
                {
                    lines.Add(hash);
                }

                if (read != default)
                {
                    yield return read;
                }
            }

            line = next;
        }
    }

    private static bool EndsWithLine(Stream stream)
    {
        if (stream.Length == 0)
        {
            return true;
        }

        stream.Seek(-1, SeekOrigin.End);
        bool endsWithLine = stream.ReadByte() == '\n';
        stream.Seek(0, SeekOrigin.Begin);
        return endsWithLine;
    }
}
