using System.Xml.Linq;

namespace OcspCluster.Architecture.Tests;

/// <summary>Arrows point one way: Protocol ← Authority ← Gateway ← Hosting ← {Standalone, Silo}; Dashboard ← Hosting; {Protocol ← Client, Standalone} ← Cli.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["OcspCluster.Protocol"] = [],
        ["OcspCluster.Authority"] = ["OcspCluster.Protocol"],
        ["OcspCluster.Gateway"] = ["OcspCluster.Authority"],
        ["OcspCluster.Dashboard"] = [],
        ["OcspCluster.Hosting"] = ["OcspCluster.Gateway", "OcspCluster.Dashboard"],
        ["OcspCluster.Standalone"] = ["OcspCluster.Hosting"],
        ["OcspCluster.Silo"] = ["OcspCluster.Hosting"],
        ["OcspCluster.BouncyCastle"] = ["OcspCluster.Protocol"],
        ["OcspCluster.Client"] = ["OcspCluster.Protocol"],
        ["OcspCluster.Cli"] = ["OcspCluster.Client", "OcspCluster.Standalone"],
    };

    public static TheoryData<string> SourceProjects => [.. Repository.Projects.Where(project => project.Value.Contains("/src/", StringComparison.Ordinal)).Select(project => project.Key)];

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void Project_References_PointOneWay(string project) =>
        Assert.Subset(s_allowed[project].ToHashSet(), Repository.ProjectReferences(project).ToHashSet());

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void Project_Packages_StayWhereTheyBelong(string project)
    {
        foreach (string package in Repository.PackageReferences(project).Where(ClusterOnly.IsPackage))
        {
            Assert.Equal(package.StartsWith("BouncyCastle.", StringComparison.Ordinal) ? "OcspCluster.BouncyCastle" : "OcspCluster.Silo", project);
        }
    }

    [Fact]
    public void Protocol_UsesTheBaseClassLibraryOnly()
    {
        Assert.Empty(Repository.PackageReferences("OcspCluster.Protocol"));
        Assert.Empty(XDocument.Load(Repository.Projects["OcspCluster.Protocol"]).Descendants("FrameworkReference"));
    }

    [Fact]
    public void Authority_KnowsNoHostNoStoreNoHttp()
    {
        Assert.Empty(Repository.PackageReferences("OcspCluster.Authority"));
        Assert.Empty(XDocument.Load(Repository.Projects["OcspCluster.Authority"]).Descendants("FrameworkReference"));
    }

    [Fact]
    public void Testing_IsAnIndependentJudge() => Assert.Empty(Repository.ProjectReferences("OcspCluster.Testing"));

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void Project_ReadsTheClock_ThroughTimeProviderOnly(string project)
    {
        string folder = Path.GetDirectoryName(Repository.Projects[project])!;
        string[] banned = ["DateTime.Now", "DateTime.UtcNow", "DateTime.Today", "DateTimeOffset.Now", "DateTimeOffset.UtcNow", "Stopwatch.", "Environment.TickCount"];
        IEnumerable<string> readers =
            from path in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            where !path.Contains("/obj/", StringComparison.Ordinal)
            let text = File.ReadAllText(path)
            from clock in banned
            where text.Contains(clock, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Repository.Root, path)} reads {clock}";
        Assert.Empty(readers);
    }
}
