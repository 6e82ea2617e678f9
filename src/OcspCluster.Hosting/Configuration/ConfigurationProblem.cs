namespace OcspCluster.Hosting.Configuration;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Key">The key, such as <c>Ocsp:Url</c>; a section where no single key is to blame.</param>
/// <param name="Value">Its value; null when it has none or it is a secret.</param>
/// <param name="Problem">What is wrong and what to do.</param>
public sealed record ConfigurationProblem(string Key, string? Value, string Problem)
{
    /// <summary>One line: key, value, what is wrong.</summary>
    public override string ToString() => Value is null ? $"{Key}: {Problem}" : $"{Key} = {Value}: {Problem}";

    /// <summary>A rule's sentence that begins with the name of the value, as <c>Validity is 00:01:00: 2 minutes to 366 days</c>.</summary>
    internal static ConfigurationProblem FromSentence(string prefix, string sentence)
    {
        int blank = sentence.IndexOf(' ', StringComparison.Ordinal);
        return new(prefix + sentence[..blank], null, sentence[(blank + 1)..]);
    }
}

/// <summary>The configuration cannot work. <see cref="Problems"/> has all that is wrong with it.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>With everything that is wrong.</summary>
    public ConfigurationException(IReadOnlyList<ConfigurationProblem> problems)
        : base(Describe(problems)) => Problems = problems;

    /// <summary>With a message.</summary>
    public ConfigurationException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public ConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public ConfigurationException()
    {
    }

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = [];

    private static string Describe(IReadOnlyList<ConfigurationProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        string count = problems.Count == 1 ? "one thing is" : $"{problems.Count} things are";
        return string.Join(Environment.NewLine, [$"The configuration cannot work; {count} wrong:", .. problems.Select(problem => "  " + problem)]);
    }
}
