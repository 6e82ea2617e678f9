using System.ComponentModel;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Checkpoints and Merkle proofs of the journals (RFC 6962 §2.1), for who trusts nothing but the journal's public key.</summary>
internal sealed class ProofEndpoints(IssuerDirectory directory, JournalCheckpoints checkpoints, JournalNotes notes)
{
    /// <summary><c>GET …/checkpoint</c>: the note as it was signed.</summary>
    public Task<IResult> GetCheckpointAsync(HttpContext context, string issuer) => ForAsync(issuer, async id =>
        Results.Text(await checkpoints.GetAsync(id, context.RequestAborted).ConfigureAwait(false), "text/plain; charset=utf-8"));

    /// <summary><c>GET …/proofs/inclusion</c>: that an entry is in the tree of the first so many.</summary>
    public Task<IResult> GetInclusionAsync(HttpContext context, string issuer, string? position, string? size) => ForAsync(issuer, async id =>
    {
        await using IAuditStore store = notes.Open();
        long end = (await store.GetHeadAsync(id, context.RequestAborted).ConfigureAwait(false)).Position;
        if (Read(size, 1, end) is not { } treeSize)
        {
            return OutOfBounds("size", 1, end);
        }

        if (Read(position, 1, treeSize) is not { } place)
        {
            return OutOfBounds("position", 1, treeSize);
        }

        JournalTree tree = new(store, id);
        (ChainedEntry entry, Digest previous) = await ReadEntryAsync(store, id, place, context.RequestAborted).ConfigureAwait(false);
        return Results.Json(new InclusionView(
            issuer,
            place,
            treeSize,
            Entry(entry),
            previous.ToArray(),
            MerkleHash.Leaf(entry.Hash).ToArray(),
            (await tree.GetRootAsync(treeSize, context.RequestAborted).ConfigureAwait(false)).ToArray(),
            Octets(await tree.ProveInclusionAsync(place - 1, treeSize, context.RequestAborted).ConfigureAwait(false))));
    });

    /// <summary><c>GET …/proofs/consistency</c>: that a journal only grew between two checkpoints.</summary>
    public Task<IResult> GetConsistencyAsync(HttpContext context, string issuer, string? from, string? to) => ForAsync(issuer, async id =>
    {
        await using IAuditStore store = notes.Open();
        long end = (await store.GetHeadAsync(id, context.RequestAborted).ConfigureAwait(false)).Position;
        if (Read(to, 0, end) is not { } second)
        {
            return OutOfBounds("to", 0, end);
        }

        if (Read(from, 0, second) is not { } first)
        {
            return OutOfBounds("from", 0, second);
        }

        JournalTree tree = new(store, id);
        return Results.Json(new ConsistencyView(
            issuer,
            first,
            second,
            (await tree.GetRootAsync(first, context.RequestAborted).ConfigureAwait(false)).ToArray(),
            (await tree.GetRootAsync(second, context.RequestAborted).ConfigureAwait(false)).ToArray(),
            Octets(await tree.ProveConsistencyAsync(first, second, context.RequestAborted).ConfigureAwait(false))));
    });

    private static async Task<(ChainedEntry Entry, Digest Previous)> ReadEntryAsync(IAuditStore store, IssuerId issuer, long position, CancellationToken cancellationToken)
    {
        Digest previous = default;
        await foreach (ChainedEntry chained in store.ReadChainAsync(issuer, Math.Max(0, position - 2), cancellationToken).ConfigureAwait(false))
        {
            if (chained.Entry.Position == position)
            {
                return (chained, previous);
            }

            previous = chained.Hash;
        }

        throw new RevocationStoreException($"Entry {position} of issuer '{issuer}' is missing. Run the audit.") { Position = position };
    }

    private static JsonElement Entry(ChainedEntry chained)
    {
        using JsonDocument document = JsonDocument.Parse(JournalExport.Serialize(chained));
        return document.RootElement.Clone();
    }

    private static long? Read(string? text, long least, long most) =>
        FeedCursor.TryParsePosition(text ?? "", out long value) && value >= least && value <= most ? value : null;

    private static IResult OutOfBounds(string name, long least, long most) =>
        AdminProblems.BadParameter(name, most < least ? "is not to be had: the journal is empty" : $"is not a number from {least} to {most}");

    private static IReadOnlyList<byte[]> Octets(IReadOnlyList<Digest> hashes) => [.. hashes.Select(hash => hash.ToArray())];

    private async Task<IResult> ForAsync(string issuer, Func<IssuerId, Task<IResult>> answer)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        try
        {
            return await answer(found.Id).ConfigureAwait(false);
        }
        catch (JournalForkException e)
        {
            return AdminProblems.Create(StatusCodes.Status500InternalServerError, "The journal is not what was signed for", e.Message);
        }
    }
}

/// <summary>An inclusion proof, and the entry that it is of. Hashes in base64, but for the one within the entry.</summary>
internal sealed record InclusionView(
    string Issuer,
    long Position,
    long Size,
    [property: Description("The entry as the export writes it: with it and previousHash the leaf can be computed, and nobody need be believed.")] JsonElement Entry,
    [property: Description("The digest of the entry before; 32 zero octets for the first.")] byte[] PreviousHash,
    byte[] LeafHash, byte[] Root, IReadOnlyList<byte[]> Proof);

/// <summary>A consistency proof. Hashes in base64.</summary>
internal sealed record ConsistencyView(string Issuer, long From, long To, byte[] FromRoot, byte[] ToRoot, IReadOnlyList<byte[]> Proof);
