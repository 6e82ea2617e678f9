using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;

namespace OcspCluster.Hosting.Configuration;

/// <summary>
/// The configuration as it was written: a JSON file, above it the environment (<c>OCSPCLUSTER_Ocsp__Url</c>), above it the command line. Keys have no case.
/// </summary>
public sealed class Settings
{
    /// <summary>What the environment variables begin with.</summary>
    public const string EnvironmentPrefix = "OCSPCLUSTER_";

    /// <summary>The file that is read from the working directory when it is there and no other is named.</summary>
    public const string DefaultFile = "appsettings.json";

    private readonly ConfigurationRoot _root;
    private readonly string _workingDirectory;
    private readonly string? _file;

    private Settings(ConfigurationRoot root, string workingDirectory, string? file)
    {
        _root = root;
        _workingDirectory = workingDirectory;
        _file = file;
    }

    /// <summary>All keys, for what reads configuration by itself (logging).</summary>
    public IConfiguration Configuration => _root;

    /// <summary>Reads all sources.</summary>
    /// <param name="file">The JSON file to read; where null, <see cref="DefaultFile"/> of the working directory if it is there.</param>
    /// <param name="overrides">The keys of the command line.</param>
    /// <exception cref="ConfigurationException">The file is missing, unreadable or no JSON.</exception>
    public static Settings Load(string? file, IEnumerable<KeyValuePair<string, string?>> overrides)
    {
        string path = Path.GetFullPath(file ?? DefaultFile);
        bool hasFile = file is not null || File.Exists(path);
        try
        {
            using Stream json = hasFile ? File.OpenRead(path) : Stream.Null;
            List<IConfigurationProvider> providers = hasFile ? [new JsonStreamConfigurationProvider(new JsonStreamConfigurationSource { Stream = json })] : [];
            providers.Add(new EnvironmentVariablesConfigurationProvider(EnvironmentPrefix));
            providers.Add(new MemoryConfigurationProvider(new MemoryConfigurationSource { InitialData = overrides }));
            return new Settings(new ConfigurationRoot(providers), Directory.GetCurrentDirectory(), hasFile ? path : null); // loads them
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or System.Text.Json.JsonException)
        {
            throw new ConfigurationException([new("--config", file ?? DefaultFile, $"not JSON: {(e.InnerException ?? e).Message}")]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new("--config", file ?? DefaultFile, $"the file cannot be read: {e.Message}")]);
        }
    }

    /// <summary>Takes keys as a program has them; nothing else is read. Relative paths are relative to the working directory.</summary>
    public static Settings FromKeys(IEnumerable<KeyValuePair<string, string?>> keys) =>
        new(new ConfigurationRoot([new MemoryConfigurationProvider(new MemoryConfigurationSource { InitialData = keys })]), Directory.GetCurrentDirectory(), null);

    /// <summary>The section of a key.</summary>
    public IConfigurationSection Section(string key) => _root.GetSection(key);

    /// <summary>The environment variable that takes the bundled SQLite library instead of the system's. It shares the prefix, and is no key: the library is loaded before there are settings.</summary>
    internal const string BundledSqliteVariable = EnvironmentPrefix + "BUNDLED_SQLITE";

    /// <summary>All keys that some source has, without <see cref="BundledSqliteVariable"/>.</summary>
    public IEnumerable<IConfigurationSection> TopLevel() =>
        _root.GetChildren().Where(section => !section.Key.Equals(BundledSqliteVariable[EnvironmentPrefix.Length..], StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The absolute path that the value of a key means: relative to the file's directory where the file says it, else to the working directory.
    /// </summary>
    public string ResolvePath(string key, string path) => Path.GetFullPath(path, BaseDirectory(key));

    private string BaseDirectory(string key)
    {
        foreach (IConfigurationProvider provider in _root.Providers.Reverse())
        {
            if (provider.TryGet(key, out _))
            {
                return provider is JsonStreamConfigurationProvider ? Path.GetDirectoryName(_file)! : _workingDirectory;
            }
        }

        return _workingDirectory;
    }
}
