using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OcspCluster.Testing;

/// <summary>
/// A SoftHSM2 token in a directory of its own, with keys that are made in it. One in a process: the library reads <c>SOFTHSM2_CONF</c> when it is loaded.
/// </summary>
public sealed class SoftHsm : IDisposable
{
    /// <summary>The label of the token.</summary>
    public const string Token = "ocspcluster";

    /// <summary>The PIN, to look for where it must not be.</summary>
    public const string Pin = "4711-0815";

    private static readonly string[] s_modules = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"];

    private readonly ScratchDirectory _directory = new();

    /// <summary>Makes the token; where the machine lacks something, <see cref="Missing"/> says what.</summary>
    public SoftHsm()
    {
        Module = s_modules.FirstOrDefault(File.Exists) ?? "";
        PinFile = _directory.File("pin");
        Missing = !OperatingSystem.IsLinux() ? "SoftHSM is used on Linux only."
            : Module.Length == 0 || ExternalTool.Find("softhsm2-util") is null ? "SoftHSM2 is not installed (softhsm2)."
            : ExternalTool.Find("pkcs11-tool") is null ? "pkcs11-tool is not installed (opensc)."
            : !HasEngine() ? "OpenSSL's engine pkcs11 is not installed (libengine-pkcs11-openssl)."
            : null;
        if (Missing is null)
        {
            MakeToken();
        }
    }

    /// <summary>What the machine lacks; null when there is a token.</summary>
    public string? Missing { get; }

    /// <summary>The PKCS #11 library.</summary>
    public string Module { get; }

    /// <summary>A file with the PIN and, as editors do, a line break.</summary>
    public string PinFile { get; }

    /// <summary>The configuration file of the token, for <c>SOFTHSM2_CONF</c> of another process.</summary>
    public string ConfigurationFile => _directory.File("softhsm2.conf");

    /// <summary>Makes a key in the token.</summary>
    /// <param name="type">As pkcs11-tool has it: <c>rsa:2048</c>, <c>EC:prime256v1</c>.</param>
    /// <param name="label">Its label.</param>
    /// <returns>The public half.</returns>
    public PublicKey MakeKey(string type, string label)
    {
        string id = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(label));
        Run("pkcs11-tool", "--module", Module, "--token-label", Token, "--login", "--pin", Pin, "--keypairgen", "--key-type", type, "--id", id, "--label", label);
        string file = _directory.File(label + ".der");
        Run("pkcs11-tool", "--module", Module, "--token-label", Token, "--read-object", "--type", "pubkey", "--label", label, "--output-file", file);
        return PublicKey.CreateFromSubjectPublicKeyInfo(File.ReadAllBytes(file), out _);
    }

    /// <summary>The URI of a key.</summary>
    public static string UriOf(string label) => $"pkcs11:token={Token};object={label};type=private";

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static bool HasEngine() => ExternalTool.Find("openssl") is ExternalTool openssl
        && openssl.RunAsync(["engine", "pkcs11"]).GetAwaiter().GetResult().ExitCode == 0;

    private static void Run(string program, params string[] arguments)
    {
        ToolResult result = ExternalTool.Find(program)!.RunAsync(arguments).GetAwaiter().GetResult();
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program}: {result}");
        }
    }

    private void MakeToken()
    {
        string tokens = Directory.CreateDirectory(_directory.File("tokens")).FullName;
        File.WriteAllText(ConfigurationFile, $"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n");
        File.WriteAllText(PinFile, Pin + "\n");

        // For the programs that are started, and for the library in this process: .NET's environment is a copy that native code does not see.
        Environment.SetEnvironmentVariable("SOFTHSM2_CONF", ConfigurationFile);
        _ = SetEnvironment(Encoding.UTF8.GetBytes("SOFTHSM2_CONF\0"), Encoding.UTF8.GetBytes(ConfigurationFile + "\0"), 1);
        Run("softhsm2-util", "--init-token", "--free", "--label", Token, "--pin", Pin, "--so-pin", Pin);
    }

    [DllImport("libc", EntryPoint = "setenv", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(byte[] name, byte[] value, int overwrite);
}
