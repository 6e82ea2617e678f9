using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Signing;

/// <summary>Keys in libcrypto: .NET and the openssl command judge what they sign, and they judge what .NET signs. Where there is no OpenSSL 3, nothing of this is used, and that is what is tested.</summary>
public sealed class OpenSslKeyTests
{
    private static readonly byte[] s_data = [.. "what was signed"u8];

    public static TheoryData<string, string, bool> Keys => new(
        from key in (string[])["P256", "P384", "P521", "RSA2048", "RSA3072", "RSA4096"]
        from hash in (string[])["SHA256", "SHA384", "SHA512"]
        from usesPss in (bool[])[false, true]
        where !usesPss || key.StartsWith("RSA", StringComparison.Ordinal)
        select (key, hash, usesPss));

    [Theory]
    [MemberData(nameof(Keys))]
    public void Signature_OfEveryKind_IsTakenByDotNetAndTheOtherWayRound(string kind, string hashName, bool usesPss)
    {
        using AsymmetricAlgorithm key = Create(kind);
        HashAlgorithmName hash = new(hashName);
        RSASignaturePadding? padding = key is RSA ? usesPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1 : null;
        using OpenSslKey? signing = OpenSslKey.TryCopyPrivate(key, hash, padding), verifying = OpenSslKey.TryCopyPublic(key, hash, padding);
        Assert.Equal(Libcrypto.IsUsable, signing is not null);
        Assert.Equal(Libcrypto.IsUsable, verifying is not null);
        if (signing is null || verifying is null)
        {
            return; // nothing here to judge: OcspSigner leaves all to .NET, and its tests are the others
        }

        for (int length = 0; length < 300; length += 60)
        {
            byte[] data = RandomNumberGenerator.GetBytes(length);
            byte[] signature = signing.TrySign(data)!;
            Assert.True(DotNetVerifies(key, data, signature, hash, padding));
            Assert.True(verifying.TryVerify(data, signature));
            Assert.True(verifying.TryVerify(data, DotNetSigns(key, data, hash, padding)));

            signature[^1] ^= 1;
            Assert.False(verifying.TryVerify(data, signature));
            Assert.False(verifying.TryVerify([.. data, 0], DotNetSigns(key, data, hash, padding)));
            Assert.Equal(0u, PeekError()); // nothing is left for the next one to stumble over
        }
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("P384")]
    [InlineData("RSA2048")]
    [InlineData("RSA3072")]
    public async Task Signer_IsBelievedByOpenSsl(string kind)
    {
        Assert.SkipUnless(ExternalTool.Find("openssl") is not null, "There is no openssl command on this machine.");
        using AsymmetricAlgorithm key = Create(kind);
        using OcspSigner signer = SignerOf(key);
        string directory = Directory.CreateTempSubdirectory("openssl-key").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "key.pem"), key.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
            await File.WriteAllBytesAsync(Path.Combine(directory, "data"), s_data, TestContext.Current.CancellationToken);
            await File.WriteAllBytesAsync(Path.Combine(directory, "signature"), signer.Sign(s_data), TestContext.Current.CancellationToken);
            string hash = kind == "P384" ? "-sha384" : "-sha256";
            ToolResult result = await ExternalTool.Find("openssl")!.RunAsync(["dgst", hash, "-verify", "key.pem", "-signature", "signature", "data"], directory);
            Assert.True(result.ExitCode == 0, result.ToString());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("RSA2048")]
    public async Task Signer_OfManyThreads_SignsRight_AndIsDisposedMeanwhile(string kind)
    {
        using AsymmetricAlgorithm key = Create(kind);
        OcspSigner signer = SignerOf(key);
        using AsymmetricAlgorithm judge = kind == "P256" ? ECDsa.Create() : RSA.Create();
        judge.ImportSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
        PublicKey publicKey = judge is RSA rsa ? new PublicKey(rsa) : new PublicKey((ECDsa)judge);
        using VerificationKey verification = new(publicKey);
        using ManualResetEventSlim isWarm = new();
        int made = 0;
        Task[] threads = [.. Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                try
                {
                    while (true)
                    {
                        byte[] signature = signer.Sign(s_data);
                        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, s_data, signature));
                        if (Interlocked.Increment(ref made) == 400)
                        {
                            isWarm.Set();
                        }
                    }
                }
                catch (Exception e) when (e is ObjectDisposedException or CryptographicException)
                {
                    // what .NET says of a key that is gone
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        Assert.True(isWarm.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        signer.Dispose();
        await Task.WhenAll(threads).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.ThrowsAny<Exception>(() => signer.Sign(s_data));
    }

    [Fact]
    public void Copy_OfAKeyThatIsElsewhere_IsNotTried()
    {
        using KeyElsewhere key = new();
        Assert.Null(OpenSslKey.TryCopyPrivate(key, HashAlgorithmName.SHA256, padding: null));
        using OcspSigner signer = OcspSigner.FromECDsa(key);
        Assert.NotEmpty(signer.Sign(s_data));
        Assert.False(key.WasAskedForItself);
    }

    [Fact]
    public void Copy_OfAPublicKey_DoesNotSign()
    {
        using RSA pair = RSA.Create(2048), half = RSA.Create();
        half.ImportRSAPublicKey(pair.ExportRSAPublicKey(), out _);
        Assert.Null(OpenSslKey.TryCopyPrivate(half, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using OcspSigner signer = OcspSigner.FromRsa(half);
        Assert.ThrowsAny<CryptographicException>(() => signer.Sign(s_data)); // said by .NET, as before
        Assert.Equal(0u, Libcrypto.IsUsable ? PeekError() : 0u);
    }

    private static AsymmetricAlgorithm Create(string kind) => kind switch
    {
        "P256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        "P384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        "P521" => ECDsa.Create(ECCurve.NamedCurves.nistP521),
        _ => RSA.Create(int.Parse(kind.AsSpan(3), System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static OcspSigner SignerOf(AsymmetricAlgorithm key) => key is RSA rsa ? OcspSigner.FromRsa(rsa) : OcspSigner.FromECDsa((ECDsa)key);

    private static bool DotNetVerifies(AsymmetricAlgorithm key, byte[] data, byte[] signature, HashAlgorithmName hash, RSASignaturePadding? padding) => key is RSA rsa
        ? rsa.VerifyData(data, signature, hash, padding!)
        : ((ECDsa)key).VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence);

    private static byte[] DotNetSigns(AsymmetricAlgorithm key, byte[] data, HashAlgorithmName hash, RSASignaturePadding? padding) => key is RSA rsa
        ? rsa.SignData(data, hash, padding!)
        : ((ECDsa)key).SignData(data, hash, DSASignatureFormat.Rfc3279DerSequence);

    [DllImport("libcrypto.so.3", EntryPoint = "ERR_peek_error", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint PeekError();

    /// <summary>A key behind a service, say: it signs, and has nothing to export.</summary>
    private sealed class KeyElsewhere : ECDsa
    {
        private readonly ECDsa _inner = Create(ECCurve.NamedCurves.nistP256);

        public bool WasAskedForItself { get; private set; }

        public override int KeySize => 256;

        public override byte[] SignHash(byte[] hash) => _inner.SignHash(hash);

        public override bool VerifyHash(byte[] hash, byte[] signature) => _inner.VerifyHash(hash, signature);

        public override ECParameters ExportParameters(bool includePrivateParameters)
        {
            WasAskedForItself = true;
            throw new CryptographicException("not here");
        }

        protected override byte[] HashData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm) => SHA256.HashData(data.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            _inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
