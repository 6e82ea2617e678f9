using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OcspCluster.Authority;

/// <summary>
/// The one thing that engine and provider take from nowhere but the process's environment: which PKCS #11 library to load. .NET keeps an environment of its own,
/// which native code does not see.
/// </summary>
internal static class Pkcs11Environment
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, string> s_modules = [];

    /// <summary>Names the module, before the first key is opened.</summary>
    /// <exception cref="CryptographicException">There is no such file, or another one is named already.</exception>
    public static void SetModule(string path, bool forProvider)
    {
        string variable = forProvider ? "PKCS11_PROVIDER_MODULE" : "PKCS11_MODULE_PATH";
        lock (s_lock)
        {
            if (s_modules.TryGetValue(variable, out string? set))
            {
                if (set != path)
                {
                    throw new CryptographicException($"OpenSSL uses one PKCS #11 module in a process, and that is '{set}' already, not '{path}': p11-kit-proxy.so joins several.");
                }

                return;
            }

            if (!File.Exists(path))
            {
                throw new CryptographicException($"There is no PKCS #11 module '{path}'.");
            }

            if (SetEnvironment(Encoding.UTF8.GetBytes(variable + '\0'), Encoding.UTF8.GetBytes(path + '\0'), 1) != 0)
            {
                throw new CryptographicException($"{variable} cannot be set.");
            }

            s_modules.Add(variable, path);
        }
    }

    [DllImport("libc", EntryPoint = "setenv", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(byte[] name, byte[] value, int overwrite);
}

/// <summary>
/// A PIN as OpenSSL's PKCS #11 code reads it: from a file, to the last octet. Editors and <c>echo</c> end a file with a line break, which would be part of the PIN:
/// then it is copied, without that, into memory that has the look of a file, and never into another file.
/// </summary>
internal sealed class PinSource : IDisposable
{
    private const uint CloseOnExec = 1; // MFD_CLOEXEC

    private readonly SafeFileHandle? _memory;

    private PinSource(string path, SafeFileHandle? memory)
    {
        Uri = "file:" + string.Join('/', path.Split('/').Select(System.Uri.EscapeDataString));
        _memory = memory;
    }

    /// <summary>The value of the attribute pin-source (RFC 7512 §2.4).</summary>
    public string Uri { get; }

    /// <summary>The PIN of a file; null where no file is named.</summary>
    /// <exception cref="CryptographicException">The file cannot be read, or is empty.</exception>
    public static PinSource? Open(string? path)
    {
        if (path is null)
        {
            return null;
        }

        byte[] content = Read(path);
        ReadOnlySpan<byte> pin = content.AsSpan().TrimEnd("\r\n"u8);
        try
        {
            if (pin.IsEmpty)
            {
                throw new CryptographicException($"The PIN file '{path}' is empty.");
            }

            return pin.Length == content.Length ? new PinSource(Path.GetFullPath(path), memory: null) : CopyToMemory(path, pin);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _memory?.Dispose();

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CryptographicException($"The PIN file '{path}' cannot be read: {e.Message}", e);
        }
    }

    private static PinSource CopyToMemory(string path, ReadOnlySpan<byte> pin)
    {
        int descriptor = OperatingSystem.IsLinux() ? CreateMemoryFile("pin\0"u8.ToArray(), CloseOnExec) : -1;
        if (descriptor < 0)
        {
            throw new CryptographicException($"The PIN file '{path}' ends with a line break, which would be taken for a part of the PIN: write it without, as 'printf' does.");
        }

        SafeFileHandle memory = new(descriptor, ownsHandle: true);
        RandomAccess.Write(memory, pin, 0);
        return new PinSource($"/proc/self/fd/{descriptor}", memory);
    }

    [DllImport("libc", EntryPoint = "memfd_create", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CreateMemoryFile(byte[] name, uint flags);
}
