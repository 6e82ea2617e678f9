using OcspCluster.Authority;

namespace OcspCluster.Standalone.Import;

/// <summary>Tells an operator how far an import is: one line that is written over on a terminal, and a line now and then elsewhere.</summary>
internal sealed class ImportConsole(TextWriter error, Stream source, bool isDryRun)
{
    private static readonly TimeSpan s_onTerminal = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_elsewhere = TimeSpan.FromSeconds(10);

    private readonly bool _isTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
    private readonly long _startedAt = TimeProvider.System.GetTimestamp();
    private TimeSpan _toldAt;
    private int _width;

    /// <summary>Tells it, unless the last time was a moment ago.</summary>
    public void Tell(ImportProgress progress)
    {
        TimeSpan now = TimeProvider.System.GetElapsedTime(_startedAt);
        if (now - _toldAt < (_isTerminal ? s_onTerminal : s_elsewhere))
        {
            return;
        }

        _toldAt = now;
        string line = $"{progress.Settled:N0} lines, {progress.Applied:N0} events {(isDryRun ? "to record" : "recorded")}, {progress.Settled / now.TotalSeconds:N0} lines/s{Remaining(progress, now)}";
        if (!_isTerminal)
        {
            error.WriteLine(line);
            return;
        }

        error.Write("\r" + line.PadRight(_width));
        _width = line.Length;
    }

    /// <summary>Leaves the terminal's line.</summary>
    public void End()
    {
        if (_width > 0)
        {
            error.Write("\r" + new string(' ', _width) + "\r");
            _width = 0;
        }
    }

    // What is settled of what was read, and what was read of the file.
    private string Remaining(ImportProgress progress, TimeSpan elapsed)
    {
        if (!source.CanSeek || source.Length == 0 || progress.Lines == 0)
        {
            return "";
        }

        double done = (double)source.Position / source.Length * progress.Settled / progress.Lines;
        return done is > 0.01 and < 1 ? $", {done:P0}, about {TimeSpan.FromSeconds(Math.Ceiling(elapsed.TotalSeconds * (1 - done) / done)):g} to go" : "";
    }
}
