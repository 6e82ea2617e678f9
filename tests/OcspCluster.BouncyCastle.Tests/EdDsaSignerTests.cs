using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;
using SignatureCheck = OcspCluster.Protocol.SignatureCheck;

namespace OcspCluster.BouncyCastle.Tests;

public sealed class EdDsaSignerTests : IDisposable
{
    // RFC 8032 §7.1, TEST 3, and §7.4, "1 octet": secret key, public key, message, signature
    public static TheoryData<string, string, string, string, string> Vectors { get; } = new()
    {
        {
            "302E020100300506032B657004220420", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        },
        {
            "3047020100300506032B6571043B0439", "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
            "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480", "03",
            "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00"
        },
    };

    private readonly OpenSsl _openssl = new();

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Sign_VectorsOfRfc8032_AreTheirSignatures(string pkcs8Prefix, string secretKey, string publicKey, string message, string signature)
    {
        using EdDsaSigner signer = EdDsaSigner.FromPkcs8(Convert.FromHexString(pkcs8Prefix + secretKey));
        byte[] data = Convert.FromHexString(message);

        Assert.Equal(Convert.FromHexString(publicKey), signer.PublicKey.EncodedKeyValue.RawData);
        Assert.Equal(Convert.FromHexString(signature), signer.Sign(data));
        Assert.Equal(SignatureCheck.Verified, EdDsaCa.Verifier.Verify(signer.Algorithm, signer.PublicKey, data, signer.Sign(data)));
    }

    [Theory]
    [InlineData("ED25519", 64)]
    [InlineData("ED448", 114)]
    public void Sign_KeyByOpenSsl_OpenSslVerifiesTheSignature(string algorithm, int signatureBytes)
    {
        _openssl.Run($"genpkey -algorithm {algorithm} -out key.pem");
        _openssl.Run("pkey -in key.pem -pubout -out public.pem");
        using EdDsaSigner signer = EdDsaSigner.FromPem(_openssl.ReadText("key.pem"));
        byte[] signature = signer.Sign("to be signed"u8);
        _openssl.Write("data", "to be signed");
        _openssl.Write("signature", signature);

        Assert.Equal(signatureBytes, signature.Length);
        Assert.Contains("Signature Verified Successfully", _openssl.Run("pkeyutl -verify -pubin -inkey public.pem -rawin -in data -sigfile signature"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ED25519", "-v2 aes-256-cbc")]
    [InlineData("ED448", "-v2 aes-128-cbc -v2prf hmacWithSHA512 -iter 20000")]
    public void FromPem_EncryptedKey_OpensWithItsPasswordOnly(string algorithm, string encryption)
    {
        _openssl.Run($"genpkey -algorithm {algorithm} -out key.pem");
        _openssl.Run($"pkcs8 -topk8 -in key.pem -out encrypted.pem -passout pass:correct {encryption}");
        string encrypted = _openssl.ReadText("encrypted.pem");
        Assert.Contains("BEGIN ENCRYPTED PRIVATE KEY", encrypted, StringComparison.Ordinal);

        using EdDsaSigner plain = EdDsaSigner.FromPem(_openssl.ReadText("key.pem"));
        using EdDsaSigner opened = EdDsaSigner.FromPem(encrypted, "correct");

        Assert.Equal(plain.Sign("x"u8), opened.Sign("x"u8));
        Assert.Throws<CryptographicException>(() => EdDsaSigner.FromPem(encrypted, "wrong"));
        Assert.Throws<CryptographicException>(() => EdDsaSigner.FromPem(encrypted));
    }

    [Fact]
    public void FromPem_KeyEncryptedByScrypt_ThrowsAndSaysWhatIsRead()
    {
        _openssl.Run("genpkey -algorithm ED25519 -out key.pem");
        _openssl.Run("pkcs8 -topk8 -in key.pem -out encrypted.pem -passout pass:correct -scrypt");

        CryptographicException thrown = Assert.Throws<CryptographicException>(() => EdDsaSigner.FromPem(_openssl.ReadText("encrypted.pem"), "correct"));

        Assert.Contains("PBKDF2", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromPem_CertificateBeforeTheKey_IsPassedOver()
    {
        using EdDsaCa ca = new("ED25519");

        using EdDsaSigner signer = EdDsaSigner.FromPem(ca.OpenSsl.ReadText("responder.pem") + ca.OpenSsl.ReadText("responder.key"));

        Assert.Equal(ca.Responder.PublicKey.EncodedKeyValue.RawData, signer.PublicKey.EncodedKeyValue.RawData);
        Assert.Equal(ca.Responder.PublicKey.Oid.Value, signer.PublicKey.Oid.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM at all")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n")]
    public void FromPem_NoKey_Throws(string pem) => Assert.Throws<CryptographicException>(() => EdDsaSigner.FromPem(pem, "password"));

    [Fact]
    public void FromPem_KeyOfAnotherKind_Throws()
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        CryptographicException thrown = Assert.Throws<CryptographicException>(() => EdDsaSigner.FromPem(ecdsa.ExportPkcs8PrivateKeyPem()));

        Assert.Contains("neither an Ed25519 nor an Ed448 key", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Verify_WhatIsNotRight_WrongWithoutException(string pkcs8Prefix, string secretKey, string publicKey, string message, string signature)
    {
        using EdDsaSigner signer = EdDsaSigner.FromPkcs8(Convert.FromHexString(pkcs8Prefix + secretKey));
        byte[] data = Convert.FromHexString(message);
        byte[] right = Convert.FromHexString(signature);
        byte[] key = Convert.FromHexString(publicKey);
        SignatureCheck Check(byte[] signed, byte[] keyValue, byte[]? keyParameters = null, string? keyOid = null) => EdDsaCa.Verifier.Verify(
            signer.Algorithm,
            new PublicKey(new Oid(keyOid ?? signer.Algorithm.Oid), keyParameters is null ? null : new AsnEncodedData(keyParameters), new AsnEncodedData(keyValue)),
            data,
            signed);

        Assert.Equal(SignatureCheck.Verified, Check(right, key));
        Assert.All(new byte[][] { [], right[1..], [.. right, 0], new byte[right.Length], [.. Enumerable.Repeat((byte)0xFF, right.Length)] }, wrong => Assert.Equal(SignatureCheck.Wrong, Check(wrong, key)));
        Assert.All(new byte[][] { [], key[1..], [.. key, 0], [.. Enumerable.Repeat((byte)0xFF, key.Length)] }, wrong => Assert.Equal(SignatureCheck.Wrong, Check(right, wrong)));
        Assert.Equal(SignatureCheck.Wrong, Check(right, key, keyParameters: [0x05, 0x00]));
        Assert.Equal(SignatureCheck.Wrong, Check(right, key, keyOid: "1.3.101.110"));
        Assert.Equal(SignatureCheck.Wrong, EdDsaCa.Verifier.Verify(signer.Algorithm, signer.PublicKey, [.. data, 0], right));
        Assert.Equal(SignatureCheck.AlgorithmUnsupported, EdDsaCa.Verifier.Verify(AlgorithmIdentifier.WithNull(signer.Algorithm.Oid), signer.PublicKey, data, right));
    }

    [Fact]
    public void Sign_ByEightThreads_EverySignatureIsTheSame()
    {
        _openssl.Run("genpkey -algorithm ED25519 -out key.pem");
        using EdDsaSigner signer = EdDsaSigner.FromPem(_openssl.ReadText("key.pem"));
        byte[] expected = signer.Sign("to be signed"u8);
        byte[][] signatures = new byte[800][];

        Parallel.For(0, signatures.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => signatures[i] = signer.Sign("to be signed"u8));

        Assert.All(signatures, signature => Assert.Equal(expected, signature));
    }

    public void Dispose() => _openssl.Dispose();
}
