using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace OcspCluster.Cli;

/// <summary>The command line of <c>ocspctl</c>.</summary>
internal static class CommandLine
{
    /// <summary>All verbs.</summary>
    /// <param name="screen">Where they print.</param>
    /// <param name="clock">The time.</param>
    public static RootCommand Create(Screen screen, TimeProvider clock)
    {
        RootCommand root = new("Is this certificate revoked? And: a responder, operated and measured. Exit codes: 0 good or done, 1 revoked, 2 unknown, 3 could not tell, 4 not done, 64 wrong command line.");
        root.Add(new CheckCommand(screen, clock));
        root.Add(new QueryCommand(screen, clock));
        root.Add(new DemoCommand(screen));
        root.Add(new StatusCommand(screen, clock));
        root.Add(new ExplainCommand(screen, clock));
        root.Add(new IssueCommand(screen, clock));
        foreach (Command change in ChangeCommand.All(screen, clock))
        {
            root.Add(change);
        }

        root.Add(new ImportCommand(screen, clock));
        root.Add(new EventsCommand(screen, clock));
        root.Add(new KeysCommand(screen, clock));
        root.Add(new PlanCommand(screen));
        root.Add(new AuditCommand(screen, clock));
        root.Add(new DoctorCommand(screen, clock));
        root.Add(new BenchCommand(screen, clock));
        root.Add(new CompletionCommand(screen));
        root.Add(new ReferenceCommand(screen));
        return root;
    }

    /// <summary>Runs a command line.</summary>
    /// <returns>The exit code, one of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Screen screen, TimeProvider clock, CancellationToken cancellationToken = default)
    {
        ParseResult parsed = Create(screen, clock).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError error in parsed.Errors)
            {
                screen.Complain(error.Message);
            }

            string verb = parsed.CommandResult.Command is RootCommand ? "" : " " + parsed.CommandResult.Command.Name;
            screen.Complain($"'ocspctl{verb} --help' tells more.");
            return ExitCode.Usage;
        }

        InvocationConfiguration configuration = new() { Output = screen.Output, Error = screen.Error, EnableDefaultExceptionHandler = false };
        return await parsed.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a user can mend is told in words, without a stack.</summary>
    public static async Task<int> GuardAsync(Screen screen, Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            screen.Complain(failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            screen.Complain("Interrupted.");
            return ExitCode.CouldNotTell;
        }
    }
}
