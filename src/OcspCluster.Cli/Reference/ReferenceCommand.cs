using System.CommandLine;
using System.Globalization;
using System.Text;

namespace OcspCluster.Cli;

/// <summary>The hidden verb <c>reference</c>: prints docs/CLI.md from the commands themselves, so that it cannot say what they do not do.</summary>
internal sealed class ReferenceCommand : Command
{
    private const string Preface = """
        # ocspctl

        This page is printed by `ocspctl reference`; a test fails when it is stale. [Why it is as it is](decisions/0031-ocspctl.md).

        ## Exit codes

        | code | |
        |---|---|
        | 0 | good; or there was nothing to judge, and it was done |
        | 1 | revoked, or on hold |
        | 2 | unknown: the responder does not know the certificate |
        | 3 | could not tell: nobody answered, an answer broke a rule, a file could not be read, interrupted |
        | 4 | an operator's command was not done, or not for all: events refused, lines not taken, a plan that does not suffice, critical findings, a journal that is not sound, requests that failed |
        | 64 | the command line is wrong, or the responder has no such issuer, key or parameter |

        `status` and `explain` end as `check` does: 0 good, 1 revoked or on hold, 2 unknown or unauthorized, 3 could not tell. Of several certificates the code is that of the worst: 1 before 3, before 2, before 0.

        ## Output

        Results go to standard output, complaints and progress to standard error. On a terminal there is colour (not with `NO_COLOR` set, nor `TERM=dumb`) and long values are wrapped; in a file or a pipe there are plain lines, never wrapped.
        `check --file` prints a table on a terminal, else one line a server with tabs between status, server and remark. `--json` prints one object a line, in the order in which the certificates were named. Control characters in names are
        shown as `\u001B`. Times are UTC.

        ## Examples

            ocspctl check www.example.com
            ocspctl check --chain --json mail.example.com:465
            ocspctl check --starttls smtp mail.example.com mx.example.com:587
            ocspctl check --file servers.txt --timeout 3
            ocspctl check --cert server.pem --issuer ca.pem --url http://127.0.0.1:8080 --expired
            ocspctl query --issuer ca.pem --cert server.pem --url http://ocsp.example.com --nonce required --text
            ocspctl query --issuer ca.pem --serial 1001 --serial 1002 --url http://127.0.0.1:8080 --hash sha256
            ocspctl query --issuer ca.pem --cert server.pem --reqout request.der
            ocspctl query --issuer ca.pem --cert server.pem --respin response.der --at 2026-11-21T12:00:00Z
            ocspctl query --respin response.der --text

            ocspctl demo
            ocspctl status 5e:ed:01
            ocspctl explain --cert server.pem --hash sha256
            ocspctl issue --cert server.pem
            ocspctl revoke 0x5eed01 --reason keyCompromise --dry-run
            ocspctl revoke --list stolen.txt --reason keyCompromise --id lost-laptops
            ocspctl import /etc/pki/CA/index.txt --admin https://ocsp.example.com:8081 --key-file ca.key
            ocspctl events --follow --cursor-file last
            ocspctl keys create --name "issuing CA" --scope feed:demo --days 365
            ocspctl plan --certificates 1000000
            ocspctl audit verify --journal-key journal.pub --state checkpoint --serial 5EED01
            ocspctl doctor --url http://ocsp.example.com
            ocspctl bench http://127.0.0.1:8080 --issuer ca.pem --serial 5EED01 --rate 5000 --duration 30

        ## A responder's admin API

        The verbs for operators ask the admin API of a responder, on one machine or in a cluster: `--admin`, else `OCSPCTL_ADMIN`, else `http://127.0.0.1:8081`. They show a key: `--key`, `--key-file`, `OCSPCTL_KEY`, `OCSPCTL_KEY_FILE`, or, of a responder on this
        machine, `data/admin.key` in the working directory. Over plain HTTP a key goes to this machine only. `--issuer` may be left out where there is one issuer. Serial numbers are hexadecimal, with colons, blanks, `0x` or `serial=` before them if you like,
        or decimal behind `decimal:`. With `--data` some verbs work on a data directory themselves.

        """;

    private readonly Screen _screen;

    public ReferenceCommand(Screen screen)
        : base("reference", "Print docs/CLI.md")
    {
        _screen = screen;
        Hidden = true;
        SetAction(parsed =>
        {
            _screen.Output.Write(Page(parsed.RootCommandResult.Command));
            return ExitCode.Good;
        });
    }

    /// <summary>The page.</summary>
    public static string Page(Command root)
    {
        StringBuilder page = new(Preface.ReplaceLineEndings("\n") + "\n");
        Write(page, root, "ocspctl");
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Write(StringBuilder page, Command parent, string path)
    {
        foreach (Command command in parent.Subcommands.Where(command => !command.Hidden))
        {
            string name = $"{path} {command.Name}";
            if (command.Subcommands.Count > 0)
            {
                Write(page, command, name); // a verb of verbs does nothing itself
                continue;
            }

            string arguments = string.Concat(command.Arguments.Select(argument => argument.Arity.MaximumNumberOfValues > 1 ? $" [{argument.Name}...]" : " " + argument.Name));
            page.Append(CultureInfo.InvariantCulture, $"## {name}{arguments}\n\n{command.Description}.\n\n| | | default |\n|---|---|---|\n");
            foreach (Argument argument in command.Arguments)
            {
                page.Append(CultureInfo.InvariantCulture, $"| `{argument.Name}` | {Escape(argument.Description)} | |\n");
            }

            foreach (Option option in command.Options.Where(option => !option.Hidden))
            {
                string names = string.Join(", ", option.Aliases.Prepend(option.Name).Select(one => $"`{one}`"));
                string value = option.ValueType == typeof(bool) ? "" : $" `{ValueNameOf(option)}`";
                page.Append(CultureInfo.InvariantCulture, $"| {names}{value} | {Escape(option.Description)} | {DefaultOf(option)} |\n");
            }

            page.Append('\n');
        }
    }

    private static string ValueNameOf(Option option) =>
        Escape(option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant());

    private static string DefaultOf(Option option) => option.HasDefaultValue && option.ValueType != typeof(bool) && option.GetDefaultValue() is object value and not Array
        ? "`" + Convert.ToString(value, CultureInfo.InvariantCulture)!.ToLowerInvariant() + "`"
        : "";

    private static string Escape(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal);
}
