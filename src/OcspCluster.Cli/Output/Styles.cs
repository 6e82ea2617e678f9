using OcspCluster.Client;
using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>The words of the statuses, and their colours. The word says everything: the colour only helps.</summary>
internal static class Styles
{
    public static Style Strong { get; } = new(decoration: Decoration.Bold);

    public static Style Warning { get; } = new(Color.Yellow);

    public static Style Faint { get; } = new(Color.Grey);

    public static Style Of(RevocationStatus status) => new(status switch
    {
        RevocationStatus.Good => Color.Green,
        RevocationStatus.Revoked => Color.Red,
        _ => Color.Yellow,
    }, decoration: Decoration.Bold);

    /// <summary>The colour of an answer or a state by its word in the admin API.</summary>
    public static Style OfWord(string word) => new(word switch
    {
        "good" or "ok" or "sound" => Color.Green,
        "revoked" or "held" or "critical" or "refused" => Color.Red,
        _ => Color.Yellow,
    }, decoration: Decoration.Bold);

    /// <summary>The colour of a kind of event.</summary>
    public static Style OfKind(string kind) => new(kind switch
    {
        "issued" or "released" => Color.Green,
        "revoked" => Color.Red,
        _ => Color.Yellow,
    });

    public static string WordOf(RevocationStatus status) => status switch
    {
        RevocationStatus.Good => "good",
        RevocationStatus.Revoked => "revoked",
        RevocationStatus.Unknown => "unknown",
        _ => "could not tell",
    };
}
