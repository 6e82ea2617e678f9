using System.CommandLine;

namespace OcspCluster.Cli;

/// <summary>A verb that asks a responder's admin API.</summary>
internal abstract class AdminCommand : Command
{
    /// <param name="screen">Where it prints.</param>
    /// <param name="name">The verb.</param>
    /// <param name="description">What it does.</param>
    protected AdminCommand(Screen screen, string name, string description)
        : base(name, description)
    {
        Screen = screen;
        SetAction((parsed, cancellationToken) => CommandLine.GuardAsync(screen, () => RunAsync(parsed, cancellationToken)));
    }

    protected Screen Screen { get; }

    protected static bool IsJson(ParseResult parsed) => parsed.GetValue(ClientSettings.Json);

    protected abstract Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken);

    /// <summary>Adds options, in the order in which help shows them.</summary>
    protected void Take(params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            Add(option);
        }
    }
}
