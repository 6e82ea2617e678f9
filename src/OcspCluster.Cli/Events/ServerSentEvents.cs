using System.Runtime.CompilerServices;
using System.Text;

namespace OcspCluster.Cli;

/// <summary>One event of a stream: its id, and its data.</summary>
internal readonly record struct ServerSentEvent(string? Id, string Data);

/// <summary>Reads a stream of server-sent events (HTML, §9.2).</summary>
internal static class ServerSentEvents
{
    /// <summary>The events as they come; ends when the stream does. Comments, which keep it alive, are passed over.</summary>
    public static async IAsyncEnumerable<ServerSentEvent> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using StreamReader lines = new(stream, Encoding.UTF8);
        StringBuilder data = new();
        string? id = null;
        while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is string line)
        {
            if (line.Length == 0)
            {
                if (data.Length > 0)
                {
                    yield return new ServerSentEvent(id, data.ToString());
                    data.Clear();
                }

                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            switch (colon < 0 ? line : line[..colon])
            {
                case "id":
                    id = value;
                    break;
                case "data":
                    data.Append(data.Length > 0 ? "\n" : "").Append(value);
                    break;
            }
        }
    }
}
