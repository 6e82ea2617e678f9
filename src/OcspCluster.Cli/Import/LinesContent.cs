using System.Net;
using System.Text;

namespace OcspCluster.Cli;

/// <summary>A body of lines, made as it is sent.</summary>
internal sealed class LinesContent(IEnumerable<string> lines) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        StreamWriter writer = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        await using (writer.ConfigureAwait(false))
        {
            foreach (string line in lines)
            {
                await writer.WriteLineAsync(line).ConfigureAwait(false);
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
