using System.Globalization;
using System.Text;
using System.Text.Json;
using OcspCluster.Authority;

namespace OcspCluster.Cli;

/// <summary>What the journal's holder says does not fit together, or is not signed.</summary>
internal sealed class NotSoundException(string message) : Exception(message);

/// <summary>Asks for checkpoints and proofs, and believes nothing but the journal's public key.</summary>
internal sealed class JournalWitness(AdminApi api, string issuer, CheckpointVerifier verifier)
{
    /// <summary>The latest checkpoint and its note, as it was signed.</summary>
    public async Task<(Checkpoint Checkpoint, string Note)> FetchAsync(CancellationToken cancellationToken)
    {
        string note = await api.GetTextAsync($"/v1/issuers/{issuer}/checkpoint", cancellationToken).ConfigureAwait(false);
        return (Verify(note) ?? throw new NotSoundException("the checkpoint is malformed, another issuer's, or not signed by this key"), note);
    }

    /// <summary>Proves that the journal of an earlier checkpoint became that of a later one by appending alone.</summary>
    /// <returns>The earlier one.</returns>
    public async Task<Checkpoint> ProveGrowthAsync(string earlierNote, Checkpoint later, CancellationToken cancellationToken)
    {
        Checkpoint earlier = Verify(earlierNote) ?? throw new CommandFailure("The file of --state has no checkpoint of this issuer that this key signed.");
        if (earlier.Size > later.Size)
        {
            throw new NotSoundException(string.Create(CultureInfo.InvariantCulture, $"it had {earlier.Size} entries at {TimeText.Of(earlier.Time)} and has {later.Size} now: entries are gone, as after an old backup was restored"));
        }

        if (earlier.Size == 0)
        {
            return earlier; // whatever grew from nothing
        }

        string query = string.Create(CultureInfo.InvariantCulture, $"from={earlier.Size}&to={later.Size}");
        JsonElement proof = await api.GetAsync($"/v1/issuers/{issuer}/proofs/consistency?{query}", cancellationToken).ConfigureAwait(false);
        return MerkleProof.VerifyConsistency(earlier.Size, earlier.Root, later.Size, later.Root, Hashes(proof))
            ? earlier
            : throw new NotSoundException(string.Create(CultureInfo.InvariantCulture, $"it is not a continuation of the journal that was signed for at {TimeText.Of(earlier.Time)} ({earlier.Size} entries): history was rewritten"));
    }

    /// <summary>Proves that an entry is in the journal.</summary>
    public async Task<JournalEntry> ProveEntryAsync(long position, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        if (position < 1 || position > checkpoint.Size)
        {
            throw new CommandFailure(string.Create(CultureInfo.InvariantCulture, $"Position {position} is not signed for yet: the checkpoint is of {checkpoint.Size} entries, and a new one is signed every minute."), ExitCode.Usage);
        }

        string query = string.Create(CultureInfo.InvariantCulture, $"position={position}&size={checkpoint.Size}");
        JsonElement proof = await api.GetAsync($"/v1/issuers/{issuer}/proofs/inclusion?{query}", cancellationToken).ConfigureAwait(false);
        EntryProof? entry = EntryProof.Read(Encoding.UTF8.GetBytes(proof.GetProperty("entry").GetRawText()), new Digest(proof.GetProperty("previousHash").GetBytesFromBase64()), Hashes(proof));
        return entry is not null && entry.Entry.Entry.Position == position && entry.IsIn(checkpoint)
            ? entry.Entry.Entry
            : throw new NotSoundException(string.Create(CultureInfo.InvariantCulture, $"the entry that is shown for position {position} is not the one that was signed for"));
    }

    private Checkpoint? Verify(string note) => verifier.Verify(note) is { } checkpoint && checkpoint.Issuer.ToString() == Uri.UnescapeDataString(issuer) ? checkpoint : null;

    private static IReadOnlyList<Digest> Hashes(JsonElement proof) => [.. proof.GetProperty("proof").EnumerateArray().Select(hash => new Digest(hash.GetBytesFromBase64()))];
}
