using System.Runtime.InteropServices;

namespace OcspCluster.Protocol;

/// <summary>
/// What is called of OpenSSL 3's libcrypto. .NET on Linux signs with the same library; it makes and fetches everything anew for each signature, which costs a P-256 signature a sixth more (docs/decisions/0061).
/// </summary>
internal static class Libcrypto
{
    /// <summary>The switch (<see cref="AppContext"/>) that leaves everything to .NET.</summary>
    public const string Switch = "OcspCluster.DotNetSignatures";

    public const int PaddingPkcs1 = 1; // RSA_PKCS1_PADDING
    public const int PaddingPss = 6; // RSA_PKCS1_PSS_PADDING
    public const int SaltAsLongAsTheHash = -1; // RSA_PSS_SALTLEN_DIGEST

    private const string Library = "libcrypto.so.3";
    private const ulong NoCleanupAtExit = 0x0008_0000; // OPENSSL_INIT_NO_ATEXIT

    /// <summary>Whether OpenSSL 3 is here, and not switched off.</summary>
    public static bool IsUsable { get; } = Probe();

    /// <summary>Forgets the errors that a call of this thread left behind: the next one to look, .NET maybe, would take them for its own.</summary>
    public static void ClearErrors() => ClearErrorQueue();

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux() || (AppContext.TryGetSwitch(Switch, out bool isOff) && isOff))
        {
            return false;
        }

        try
        {
            // Threads may be signing while the process ends; .NET asks for the same.
            return GetVersion() >> 28 == 3 && Initialize(NoCleanupAtExit, 0) == 1;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return false;
        }
    }

    [DllImport(Library, EntryPoint = "OpenSSL_version_num", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nuint GetVersion();

    [DllImport(Library, EntryPoint = "OPENSSL_init_crypto", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Initialize(ulong options, nint settings);

    [DllImport(Library, EntryPoint = "ERR_clear_error", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void ClearErrorQueue();

    [DllImport(Library, EntryPoint = "d2i_AutoPrivateKey", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern SafePKey DecodePrivateKey(nint reuse, ref nint encoded, nint length);

    [DllImport(Library, EntryPoint = "d2i_PUBKEY", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern SafePKey DecodePublicKey(nint reuse, ref nint encoded, nint length);

    [DllImport(Library, EntryPoint = "EVP_PKEY_free", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern void FreeKey(nint key);

    [DllImport(Library, EntryPoint = "EVP_PKEY_get_size", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int GetMaxSignatureBytes(SafePKey key);

    [DllImport(Library, EntryPoint = "EVP_PKEY_CTX_new", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint NewKeyContext(SafePKey key, nint engine);

    [DllImport(Library, EntryPoint = "EVP_PKEY_CTX_free", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern void FreeKeyContext(nint context);

    [DllImport(Library, EntryPoint = "EVP_PKEY_sign_init", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int BeginSigning(nint context);

    [DllImport(Library, EntryPoint = "EVP_PKEY_verify_init", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int BeginVerifying(nint context);

    [DllImport(Library, EntryPoint = "EVP_PKEY_CTX_set_signature_md", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetSignatureHash(nint context, nint hash);

    [DllImport(Library, EntryPoint = "EVP_PKEY_CTX_set_rsa_padding", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetPadding(nint context, int padding);

    [DllImport(Library, EntryPoint = "EVP_PKEY_CTX_set_rsa_pss_saltlen", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int SetSaltLength(nint context, int length);

    [DllImport(Library, EntryPoint = "EVP_PKEY_sign", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Sign(nint context, ref byte signature, ref nuint signatureLength, ref byte hash, nuint hashLength);

    [DllImport(Library, EntryPoint = "EVP_PKEY_verify", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Verify(nint context, ref byte signature, nuint signatureLength, ref byte hash, nuint hashLength);

    [DllImport(Library, EntryPoint = "EVP_get_digestbyname", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint GetHash([MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport(Library, EntryPoint = "EVP_MD_CTX_new", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern nint NewHashContext();

    [DllImport(Library, EntryPoint = "EVP_MD_CTX_free", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern void FreeHashContext(nint context);

    [DllImport(Library, EntryPoint = "EVP_DigestInit_ex", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int BeginHash(nint context, nint hash, nint engine);

    [DllImport(Library, EntryPoint = "EVP_DigestUpdate", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int UpdateHash(nint context, ref byte data, nuint length);

    [DllImport(Library, EntryPoint = "EVP_DigestFinal_ex", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int EndHash(nint context, ref byte hash, out uint length);
}
