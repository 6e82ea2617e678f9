using System.Text.Json;

namespace OcspCluster.Cli;

/// <summary>Reads the answer to an import as it comes (docs/API.md).</summary>
internal static class ImportAnswer
{
    /// <summary>Reads up to the summary, and tells the lines that were not taken.</summary>
    /// <exception cref="CommandFailure">Nothing of the file was taken, or the answer ends without a summary.</exception>
    public static async Task<JsonElement> ReadAsync(Screen screen, IAsyncEnumerable<JsonElement> lines, bool isJson, Action<JsonElement> progress)
    {
        await foreach (JsonElement line in lines.ConfigureAwait(false))
        {
            JsonProperty what = line.EnumerateObject().First();
            if (isJson && what.Name != "progress")
            {
                screen.Output.WriteLine(line.GetRawText());
            }

            switch (what.Name)
            {
                case "progress":
                    progress(what.Value);
                    break;
                case "problem" when !isJson:
                    screen.Complain(what.Value.GetProperty("detail").GetString()!);
                    break;
                case "summary":
                    return what.Value.GetProperty("refusal").GetString() is string refusal ? throw new CommandFailure(refusal, ExitCode.NotDone) : what.Value;
                case "error":
                    throw new CommandFailure(what.Value.GetProperty("detail").GetString()!) { IsTransient = true };
            }
        }

        throw new CommandFailure("The answer ended without a summary. What was recorded stays; the same command goes on.") { IsTransient = true };
    }
}
