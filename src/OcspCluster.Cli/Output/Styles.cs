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

    public static string WordOf(RevocationStatus status) => status switch
    {
        RevocationStatus.Good => "good",
        RevocationStatus.Revoked => "revoked",
        RevocationStatus.Unknown => "unknown",
        _ => "could not tell",
    };
}
