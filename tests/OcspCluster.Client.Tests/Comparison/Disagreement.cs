namespace OcspCluster.Client.Tests.Comparison;

/// <summary>A kind of response about which another program says something else than the client, and why. docs/CLIENT.md has the same for people.</summary>
/// <param name="Judges">The programs.</param>
/// <param name="Families">The families of the corpus; empty: any.</param>
/// <param name="Ours">How our verdict begins.</param>
/// <param name="Theirs">Their verdict; empty: any.</param>
/// <param name="Why">The reason.</param>
internal sealed record Disagreement(string[] Judges, string[] Families, string Ours, string Theirs, string Why)
{
    private static readonly Disagreement[] s_all =
    [
    ];

    public static Disagreement? Find(string judge, ComparedResponse response, string ours, string theirs) => Array.Find(s_all, one =>
        one.Judges.Contains(judge)
        && (one.Families.Length == 0 || one.Families.Contains(response.Family))
        && ours.StartsWith(one.Ours, StringComparison.Ordinal)
        && (one.Theirs.Length == 0 || one.Theirs == theirs));
}
