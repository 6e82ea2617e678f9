namespace OcspCluster.Authority.Tests.Audit;

public sealed class MerkleTreeTests
{
    // The reference tree of Certificate Transparency's own tests: eight leaves, their roots and some proofs.
    private static readonly Digest[] s_leaves =
    [
        .. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696A6B6C6D6E6F" }
            .Select(data => MerkleHash.Leaf(Convert.FromHexString(data))),
    ];

    private static readonly string[] s_roots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public async Task Root_OfTheReferenceLeaves_IsTheReferenceRoot()
    {
        MerkleFrontier frontier = new();
        for (int size = 0; size <= 8; size++)
        {
            Assert.Equal(s_roots[size], frontier.Root.ToString());
            Assert.Equal(s_roots[size], (await TreeOf(s_leaves).GetRootAsync(size, CancellationToken.None)).ToString());
            if (size < 8)
            {
                frontier.Append(s_leaves[size]);
            }
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(5, 8, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(1, 5, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    public async Task Inclusion_OfTheReferenceLeaves_IsTheReferenceProof(long index, long size, params string[] expected)
    {
        IReadOnlyList<Digest> proof = await TreeOf(s_leaves).ProveInclusionAsync(index, size, CancellationToken.None);

        Assert.Equal(expected, proof.Select(hash => hash.ToString()));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(6, 8, "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 5, "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    [InlineData(6, 7, "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    public async Task Consistency_OfTheReferenceLeaves_IsTheReferenceProof(long first, long second, params string[] expected)
    {
        IReadOnlyList<Digest> proof = await TreeOf(s_leaves).ProveConsistencyAsync(first, second, CancellationToken.None);

        Assert.Equal(expected, proof.Select(hash => hash.ToString()));
    }

    [Fact]
    public async Task Inclusion_OfEverySizeAndIndex_VerifiesThereAndNowhereElse()
    {
        Digest[] leaves = Leaves(66);
        for (int size = 1; size <= 65; size++)
        {
            Digest root = Mth(leaves.AsSpan(0, size));
            for (int index = 0; index < size; index++)
            {
                IReadOnlyList<Digest> proof = await TreeOf(leaves).ProveInclusionAsync(index, size, CancellationToken.None);

                Assert.True(MerkleProof.VerifyInclusion(leaves[index], index, size, proof, root), $"{index} of {size}");
                Assert.False(MerkleProof.VerifyInclusion(leaves[index + 1], index, size, proof, root));
                Assert.False(MerkleProof.VerifyInclusion(leaves[index], index, size, proof, leaves[65]));
                Assert.False(MerkleProof.VerifyInclusion(leaves[index], index, size, [.. proof, leaves[0]], root));
                Assert.All(Broken(proof), broken => Assert.False(MerkleProof.VerifyInclusion(leaves[index], index, size, broken, root)));
                for (int other = -1; other <= size; other++)
                {
                    Assert.Equal(other == index, MerkleProof.VerifyInclusion(leaves[index], other, size, proof, root));
                }
            }
        }
    }

    [Fact]
    public async Task Consistency_OfEveryPairOfSizes_VerifiesAndNothingElseDoes()
    {
        Digest[] leaves = Leaves(66);
        Digest[] roots = [.. Enumerable.Range(0, 66).Select(size => Mth(leaves.AsSpan(0, size)))];
        for (int second = 0; second <= 65; second++)
        {
            for (int first = 0; first <= second; first++)
            {
                IReadOnlyList<Digest> proof = await TreeOf(leaves).ProveConsistencyAsync(first, second, CancellationToken.None);

                Assert.True(MerkleProof.VerifyConsistency(first, roots[first], second, roots[second], proof), $"{first} of {second}");
                Assert.False(MerkleProof.VerifyConsistency(first, leaves[65], second, roots[second], proof));
                Assert.False(MerkleProof.VerifyConsistency(first, roots[first], second, roots[second], [.. proof, leaves[0]]));
                Assert.All(Broken(proof), broken => Assert.False(MerkleProof.VerifyConsistency(first, roots[first], second, roots[second], broken)));
                if (first > 0)
                {
                    Assert.False(MerkleProof.VerifyConsistency(first, roots[first], second, leaves[65], proof));
                }
            }
        }

        Assert.False(MerkleProof.VerifyConsistency(2, roots[2], 1, roots[1], []));
        Assert.False(MerkleProof.VerifyConsistency(-1, roots[0], 1, roots[1], []));
    }

    [Theory] // around every boundary of the stored levels
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(511)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(70_000)]
    public async Task Tree_OfSeveralStoredLevels_IsThatOfItsLeaves(int size)
    {
        Digest[] leaves = Leaves(size);
        JournalTree tree = TreeOf(leaves);
        Digest root = Mth(leaves);
        Random random = new(size);

        Assert.Equal(root, await tree.GetRootAsync(size, CancellationToken.None));
        for (int i = 0; i < 20; i++)
        {
            int index = i == 0 ? size - 1 : random.Next(size);
            Assert.True(MerkleProof.VerifyInclusion(leaves[index], index, size, await tree.ProveInclusionAsync(index, size, CancellationToken.None), root));
            int first = 1 + index;
            Assert.True(MerkleProof.VerifyConsistency(
                first, await tree.GetRootAsync(first, CancellationToken.None), size, root, await tree.ProveConsistencyAsync(first, size, CancellationToken.None)));
        }
    }

    [Fact]
    public async Task Proof_OfALargeTree_ReadsAFewTilesOnly()
    {
        Digest[] leaves = Leaves(70_000);
        int read = 0;
        TreeLevelReader inner = ReaderOf(leaves);
        JournalTree tree = new((level, first, count, cancellationToken) =>
        {
            read += count;
            return inner(level, first, count, cancellationToken);
        });

        await tree.ProveInclusionAsync(12_345, 70_000, CancellationToken.None);

        Assert.InRange(read, 1, 6 * MerkleTree.StoredWidth);
    }

    [Fact]
    public async Task Tree_ThatEndsTooEarly_IsAnException()
    {
        JournalTree tree = TreeOf(Leaves(300));

        await Assert.ThrowsAsync<RevocationStoreException>(async () => await tree.GetRootAsync(301, CancellationToken.None));
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await tree.ProveInclusionAsync(0, 512, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await tree.ProveInclusionAsync(5, 5, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await tree.ProveConsistencyAsync(6, 5, CancellationToken.None));
    }

    private static Digest[] Leaves(int count) => [.. Enumerable.Range(0, count).Select(i => MerkleHash.Leaf(BitConverter.GetBytes(i)))];

    // The definition (RFC 6962 §2.1), word for word.
    private static Digest Mth(ReadOnlySpan<Digest> leaves)
    {
        if (leaves.Length <= 1)
        {
            return leaves.Length == 0 ? MerkleHash.EmptyRoot : leaves[0];
        }

        int k = 1;
        while (2 * k < leaves.Length)
        {
            k *= 2;
        }

        return MerkleHash.Node(Mth(leaves[..k]), Mth(leaves[k..]));
    }

    private static JournalTree TreeOf(Digest[] leaves) => new(ReaderOf(leaves));

    // A store in memory: the levels that one keeps, of full subtrees only.
    private static TreeLevelReader ReaderOf(Digest[] leaves)
    {
        Dictionary<int, Digest[]> levels = new() { [0] = leaves };
        for (int height = MerkleTree.StoredLevels; height <= MerkleTree.HighestStoredLevel; height += MerkleTree.StoredLevels)
        {
            levels[height] = [.. levels[height - MerkleTree.StoredLevels].Chunk(MerkleTree.StoredWidth).Where(chunk => chunk.Length == MerkleTree.StoredWidth).Select(chunk => Mth(chunk))];
        }

        return (level, first, count, _) => ValueTask.FromResult<IReadOnlyList<Digest>>([.. levels[level].Skip((int)first).Take(count)]);
    }

    private static IEnumerable<IReadOnlyList<Digest>> Broken(IReadOnlyList<Digest> proof)
    {
        for (int i = 0; i < proof.Count; i++)
        {
            Digest[] changed = [.. proof];
            changed[i] = MerkleHash.EmptyRoot;
            yield return changed;
            yield return [.. proof.Take(i), .. proof.Skip(i + 1)];
        }
    }
}
