using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace OcspCluster.Architecture.Tests;

/// <summary>The files of this repository.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>All projects: name and path.</summary>
    public static IReadOnlyDictionary<string, string> Projects { get; } =
        new[] { "src", "tests", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
            .ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => path);

    public static string Read(string relativePath) => File.ReadAllText(Path.Combine(Root, relativePath));

    /// <summary>Names of the projects that a project references.</summary>
    public static IReadOnlySet<string> ProjectReferences(string project) =>
        Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))).ToHashSet();

    /// <summary>Ids of the packages that a project references.</summary>
    public static IReadOnlySet<string> PackageReferences(string project) => Items(project, "PackageReference").ToHashSet();

    private static IEnumerable<string> Items(string project, string item) =>
        XDocument.Load(Projects[project]).Descendants(item).Select(element => element.Attribute("Include")!.Value);

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        // A deterministic build maps source paths away; then the tests run below the repository, as they do from test.sh.
        for (DirectoryInfo? folder = new(File.Exists(thisFile) ? Path.GetDirectoryName(thisFile)! : AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OcspCluster.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("These tests read the repository: run them in a checkout of it.");
    }
}
