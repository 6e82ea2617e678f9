namespace OcspCluster.Cli.Tests;

/// <summary>Screens as they were looked at and found good: <c>Golden/*.txt</c>. With <c>OCSPCTL_GOLDEN=write</c> in the environment they are written anew, to be looked at.</summary>
internal static class GoldenText
{
    public static string Repository { get; } = FindRepository();

    public static void Assert(string name, CommandRun run)
    {
        string path = Path.Combine(Repository, "tests", "OcspCluster.Cli.Tests", "Golden", name + ".txt");
        if (Environment.GetEnvironmentVariable("OCSPCTL_GOLDEN") == "write")
        {
            File.WriteAllText(path, run.Stable);
        }

        Xunit.Assert.Equal(File.ReadAllText(path), run.Stable);
        Xunit.Assert.Equal("", run.Error);
    }

    private static string FindRepository()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "OcspCluster.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("These tests run in the repository.");
    }
}
