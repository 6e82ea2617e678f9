using System.Runtime.InteropServices;

namespace OcspCluster.Protocol;

/// <summary>A key of libcrypto (EVP_PKEY), which counts who holds it: contexts that were made of it keep it alive.</summary>
internal sealed class SafePKey() : SafeHandle(0, ownsHandle: true)
{
    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libcrypto.FreeKey(handle);
        return true;
    }
}

/// <summary>
/// A key that is ready to sign or to verify, again and again (EVP_PKEY_CTX), and the hash that goes before (EVP_MD_CTX). For one thread at a time: <see cref="OpenSslKey"/> hands each out to one.
/// </summary>
internal sealed class OpenSslContext : SafeHandle
{
    private const int MaxHashBytes = 64;

    private readonly nint _hash; // freed with the handle

    private OpenSslContext(nint context, nint hash)
        : base(0, ownsHandle: true)
    {
        handle = context;
        _hash = hash;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0 || _hash == 0;

    /// <summary>Makes one; null when libcrypto would not.</summary>
    /// <param name="key">The key.</param>
    /// <param name="use">What it is for.</param>
    public static OpenSslContext? Create(SafePKey key, OpenSslUse use)
    {
        OpenSslContext context = new(Libcrypto.NewKeyContext(key, 0), Libcrypto.NewHashContext());
        if (!context.IsInvalid && context.Begin(use))
        {
            return context;
        }

        context.Free();
        Libcrypto.ClearErrors();
        return null;
    }

    /// <summary>Signs.</summary>
    /// <returns>The length of the signature; 0 when it failed, and then it is not to be used again.</returns>
    public int Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        bool isHeld = false;
        try
        {
            DangerousAddRef(ref isHeld);
            Span<byte> hash = stackalloc byte[MaxHashBytes];
            nuint length = (nuint)signature.Length;
            int hashLength = Hash(data, hash);
            if (hashLength > 0 && Libcrypto.Sign(handle, ref MemoryMarshal.GetReference(signature), ref length, ref MemoryMarshal.GetReference(hash), (nuint)hashLength) == 1)
            {
                return (int)length;
            }

            Libcrypto.ClearErrors();
            return 0;
        }
        finally
        {
            if (isHeld)
            {
                DangerousRelease();
            }
        }
    }

    /// <summary>Verifies. A wrong signature is no reason not to use it again.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        bool isHeld = false;
        try
        {
            DangerousAddRef(ref isHeld);
            Span<byte> hash = stackalloc byte[MaxHashBytes];
            int hashLength = Hash(data, hash);
            if (hashLength > 0 && Libcrypto.Verify(handle, ref MemoryMarshal.GetReference(signature), (nuint)signature.Length, ref MemoryMarshal.GetReference(hash), (nuint)hashLength) == 1)
            {
                return true;
            }

            Libcrypto.ClearErrors();
            return false;
        }
        finally
        {
            if (isHeld)
            {
                DangerousRelease();
            }
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Free();
        return true;
    }

    private bool Begin(OpenSslUse use)
    {
        nint hash = Libcrypto.GetHash(use.Hash);
        return hash != 0
            && (use.Signs ? Libcrypto.BeginSigning(handle) : Libcrypto.BeginVerifying(handle)) == 1
            && Libcrypto.SetSignatureHash(handle, hash) == 1
            && (use.Padding == 0 || Libcrypto.SetPadding(handle, use.Padding) == 1)
            && (use.Padding != Libcrypto.PaddingPss || Libcrypto.SetSaltLength(handle, Libcrypto.SaltAsLongAsTheHash) == 1)
            && Libcrypto.BeginHash(_hash, hash, 0) == 1;
    }

    private int Hash(ReadOnlySpan<byte> data, Span<byte> hash) =>
        Libcrypto.BeginHash(_hash, 0, 0) == 1 // the hash that it began with
        && Libcrypto.UpdateHash(_hash, ref MemoryMarshal.GetReference(data), (nuint)data.Length) == 1
        && Libcrypto.EndHash(_hash, ref MemoryMarshal.GetReference(hash), out uint length) == 1
            ? (int)length
            : 0;

    private void Free()
    {
        Libcrypto.FreeKeyContext(handle); // nothing is made of nothing: both take NULL
        Libcrypto.FreeHashContext(_hash);
        SetHandleAsInvalid();
    }
}
