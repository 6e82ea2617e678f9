using System.CommandLine;

namespace OcspCluster.Cli;

/// <summary>The verb <c>completion</c>: prints what a shell is to read once. The completions themselves come from the program, by System.CommandLine's suggest directive.</summary>
internal sealed class CompletionCommand : Command
{
    // COMP_POINT counts octets of the line; the directive counts characters. Command lines beyond ASCII complete a little off.
    private const string Bash = """
        # ocspctl completion bash > ~/.local/share/bash-completion/completions/ocspctl
        _ocspctl() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(ocspctl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _ocspctl ocspctl
        """;

    private const string Zsh = """
        #compdef ocspctl
        # ocspctl completion zsh > "${fpath[1]}/_ocspctl"
        _ocspctl() {
            local -a completions
            completions=("${(@f)$(ocspctl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a completions || _files
        }
        compdef _ocspctl ocspctl
        """;

    private const string Fish = """
        # ocspctl completion fish > ~/.config/fish/completions/ocspctl.fish
        function __ocspctl_complete
            set -l line (commandline -cp)
            ocspctl "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c ocspctl -a '(__ocspctl_complete)'
        """;

    public CompletionCommand(Screen screen)
        : base("completion", "Print the script that teaches a shell to complete ocspctl")
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Add(shell);
        SetAction(parsed =>
        {
            screen.Output.WriteLine(parsed.GetRequiredValue(shell) switch
            {
                "zsh" => Zsh,
                "fish" => Fish,
                _ => Bash,
            });
            return ExitCode.Good;
        });
    }
}
