namespace OcspCluster.Hosting.Configuration;

/// <summary>Guesses what somebody meant to write.</summary>
internal static class Spelling
{
    /// <summary>The word that is nearest by insertions, deletions and replacements, if one is near: a third of its letters at most.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        (string Word, int Distance)? nearest = known
            .Select(candidate => ((string Word, int Distance)?)(candidate, Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .MinBy(candidate => candidate!.Value.Distance);
        return nearest is { } found && found.Distance <= Math.Max(1, found.Word.Length / 3) ? found.Word : null;
    }

    // Levenshtein's, row by row.
    private static int Distance(string a, string b)
    {
        int[] previous = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int[] current = new int[b.Length + 1];
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            }

            previous = current;
        }

        return previous[b.Length];
    }
}
