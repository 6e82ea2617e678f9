using System.Security.Cryptography;
using System.Text;

namespace OcspCluster.Authority.Tests.Audit;

public sealed class CheckpointTests : IDisposable
{
    private static readonly Checkpoint s_checkpoint = new(new IssuerId("demo"), 1_048_576, Digest.Of("root"u8), new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero));

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _note;

    public CheckpointTests() => _note = new CheckpointSigner(_key).Sign(s_checkpoint);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void Note_IsASignedNoteOfATlogCheckpoint()
    {
        string[] lines = _note.Split('\n');
        byte[] signature = Convert.FromBase64String(lines[5]["— demo ".Length..]);

        Assert.Equal(["demo", "1048576", "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=", "time 2026-06-15T12:00:00Z", "", lines[5], ""], lines);
        Assert.StartsWith("— demo ", lines[5], StringComparison.Ordinal);
        Assert.Equal(SHA256.HashData(_key.ExportSubjectPublicKeyInfo())[..4], signature[..4]);
        Assert.True(_key.VerifyData(
            Encoding.UTF8.GetBytes(string.Join('\n', lines[..4]) + "\n"), signature[4..], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Verify_WithThePublicKeyAlone_GivesTheCheckpoint()
    {
        using ECDsa publicKey = ECDsa.Create();
        publicKey.ImportFromPem(_key.ExportSubjectPublicKeyInfoPem());

        Assert.Equal(s_checkpoint, new CheckpointVerifier(publicKey).Verify(_note));
    }

    [Fact]
    public void Verify_WithAnotherKey_IsNull()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Null(new CheckpointVerifier(other).Verify(_note));
    }

    [Fact]
    public void Verify_OfAnyOtherNote_IsNull()
    {
        CheckpointVerifier verifier = new(_key);
        for (int i = 0; i < _note.Length; i++)
        {
            string changed = _note[..i] + (char)(_note[i] ^ 1) + _note[(i + 1)..];
            Assert.True(verifier.Verify(changed) is null, $"character {i} changed: {changed}");
            string shorter = _note.Remove(i, 1);
            Assert.True(verifier.Verify(shorter) is null, $"character {i} removed: {shorter}");
        }

        Assert.All([null, "", "\n\n", _note + "x", _note + "\n", "\n" + _note, new string('\n', 100_000), _note.Replace("1048576", "01048576"), _note.Split("\n\n")[0] + "\n\n"],
            note => Assert.Null(verifier.Verify(note)));
    }

    [Fact]
    public void Verify_BesideAWitness_LooksAtOurSignatureOnly()
    {
        string witness = $"— witness.example {Convert.ToBase64String(new byte[68])}\n";
        CheckpointVerifier verifier = new(_key);

        Assert.Equal(s_checkpoint, verifier.Verify(_note + witness));
        Assert.Null(verifier.Verify(_note.Split("\n\n")[0] + "\n\n" + witness));
        Assert.Null(verifier.Verify(_note + string.Concat(Enumerable.Repeat(witness, 16))));
    }

    [Fact]
    public void Verify_OfFurtherExtensionLines_LeavesThemAside()
    {
        string text = _note.Split("\n\n")[0] + "\nother thing\n";
        byte[] signature = _key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        string note = $"{text}\n— demo {Convert.ToBase64String([.. SHA256.HashData(_key.ExportSubjectPublicKeyInfo())[..4], .. signature])}\n";

        Assert.Equal(s_checkpoint, new CheckpointVerifier(_key).Verify(note));
    }

    [Fact]
    public void Key_OfAnotherCurve_IsRefused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.Throws<CryptographicException>(() => new CheckpointSigner(key));
        Assert.Throws<CryptographicException>(() => new CheckpointVerifier(key));
    }
}
