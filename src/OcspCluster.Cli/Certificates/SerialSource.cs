using System.CommandLine;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>Which certificates an operator means: serial numbers on the command line, certificates in files, a list.</summary>
internal sealed class SerialSource
{
    public Argument<string[]> Serials { get; } = new("SERIAL") { Description = "A serial number: " + SerialText.Forms, Arity = ArgumentArity.ZeroOrMore };

    public Option<string[]> Certificates { get; } = new("--cert") { Description = "A file with a certificate; may be repeated", HelpName = "FILE" };

    public Option<string?> List { get; } = new("--list") { Description = "A list of serial numbers, one a line, # begins a comment; - is standard input", HelpName = "FILE" };

    /// <summary>Whether nothing is named.</summary>
    public bool IsEmpty(System.CommandLine.Parsing.CommandResult result) =>
        result.GetResult(Serials) is null or { Tokens.Count: 0 } && result.GetResult(Certificates) is null && result.GetResult(List) is null;

    /// <summary>All serial numbers, as they are read; what is none is a failure that names it.</summary>
    public IEnumerable<SerialNumber> Read(ParseResult parsed) => SerialText.OfFiles(parsed.GetValue(Certificates) ?? []).Concat(ReadNumbers(parsed));

    /// <summary>Those that are named by number.</summary>
    public IEnumerable<SerialNumber> ReadNumbers(ParseResult parsed) =>
        (parsed.GetValue(Serials) ?? []).Concat(parsed.GetValue(List) is string list ? Files.ReadList(list) : []).Select(SerialText.Parse);
}
