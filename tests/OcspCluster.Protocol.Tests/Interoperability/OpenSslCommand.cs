using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests;

/// <summary>The openssl command, where it is installed; elsewhere the test that asks for it is skipped and says so.</summary>
internal static class OpenSslCommand
{
    /// <summary>Runs it in a directory; returns what it wrote to both of its outputs, whatever its exit code: the words are the verdict.</summary>
    public static async Task<string> RunAsync(DirectoryInfo directory, params string[] arguments)
    {
        ExternalTool? tool = ExternalTool.Find("openssl");
        Assert.SkipWhen(tool is null, "openssl is not on the PATH.");
        ToolResult result = await tool.RunAsync(arguments, directory.FullName);
        return result.Output + result.Error;
    }
}
