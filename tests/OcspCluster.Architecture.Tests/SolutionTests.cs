using System.Text.RegularExpressions;

namespace OcspCluster.Architecture.Tests;

/// <summary>
/// The solution has three configurations. Debug and Release build what restores from any package registry; Cluster builds everything. A project is left out of a
/// configuration by having an ActiveCfg line and no Build.0 line for it, which <c>dotnet sln add</c> does not write: hence these tests.
/// </summary>
public sealed partial class SolutionTests
{
    private static readonly string[] s_configurations = ["Debug", "Release", "Cluster"];
    private static readonly string s_solution = Repository.Read("OcspCluster.sln");

    public static TheoryData<string> Projects => [.. Repository.Projects.Keys];

    [Fact]
    public void Solution_Projects_AreAllThatThereAre() =>
        Assert.Equal(Repository.Projects.Keys.Order(), ProjectIds().Keys.Order());

    [Fact]
    public void Solution_Configurations_AreDebugReleaseAndCluster()
    {
        string section = Section("SolutionConfigurationPlatforms");
        string[] configurations = [.. ConfigurationLine().Matches(section).Select(match => match.Groups[1].Value)];
        Assert.Equal(s_configurations.Order(), configurations.Order());
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Solution_Project_IsBuiltWhereItsPackagesAre(string project)
    {
        string id = Regex.Escape(ProjectIds()[project]);
        string section = Section("ProjectConfigurationPlatforms");
        foreach (string configuration in s_configurations)
        {
            string line = id + Regex.Escape($".{configuration}|Any CPU.");
            Assert.Matches(line + Regex.Escape($"ActiveCfg = {configuration}|Any CPU"), section);
            bool isBuilt = Regex.IsMatch(section, line + Regex.Escape($"Build.0 = {configuration}|Any CPU"));
            Assert.Equal(configuration == "Cluster" || !ClusterOnly.Needs(project), isBuilt);
        }

        Assert.Equal(3, Regex.Count(section, id + @"\.\w+\|Any CPU\.ActiveCfg"));
    }

    private static Dictionary<string, string> ProjectIds() =>
        ProjectLine().Matches(s_solution).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);

    private static string Section(string name) =>
        Regex.Match(s_solution, $@"GlobalSection\({name}\)(.*?)EndGlobalSection", RegexOptions.Singleline).Groups[1].Value;

    [GeneratedRegex("= \"([^\"]+)\", \"[^\"]+\\.csproj\", \"(\\{[0-9A-F-]+\\})\"")]
    private static partial Regex ProjectLine();

    [GeneratedRegex(@"^\s*(\w+)\|Any CPU = \1\|Any CPU\s*$", RegexOptions.Multiline)]
    private static partial Regex ConfigurationLine();
}

/// <summary>What only the Cluster configuration builds: projects that need a package which some registries lack, themselves or through another project.</summary>
internal static class ClusterOnly
{
    private static readonly string[] s_packages = ["Microsoft.Orleans.", "StackExchange.Redis", "BouncyCastle."];

    public static bool IsPackage(string id) => s_packages.Any(prefix => id.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    public static bool Needs(string project) =>
        Repository.PackageReferences(project).Any(IsPackage) || Repository.ProjectReferences(project).Any(Needs);
}
