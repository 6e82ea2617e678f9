namespace OcspCluster.Authority;

/// <summary>The journal is not what was signed for before, so nothing more is signed for.</summary>
public sealed class JournalForkException : Exception
{
    /// <summary>With what differs.</summary>
    public JournalForkException(string message)
        : base(message)
    {
    }

    /// <summary>With what differs, and a cause.</summary>
    public JournalForkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public JournalForkException()
    {
    }
}

/// <summary>Signs checkpoints one after the other, and each only when the journal still begins with what the one before was signed for. Thread-safe.</summary>
public sealed class JournalNotary(CheckpointSigner signer, CheckpointVerifier verifier, TimeProvider timeProvider)
{
    /// <summary>Signs for a journal as it is now.</summary>
    /// <param name="store">The store.</param>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="previousNote">The latest checkpoint; null when there is none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The new note; the previous one when the journal has not grown.</returns>
    /// <exception cref="JournalForkException">The journal is shorter than the previous checkpoint or begins otherwise, or that checkpoint is not one of our key and this issuer.</exception>
    public async Task<string> SignAsync(IAuditStore store, IssuerId issuer, string? previousNote, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        JournalTree tree = new(store, issuer);
        long size = (await store.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Position;
        if (previousNote is not null)
        {
            Checkpoint? previous = verifier.Verify(previousNote);
            if (previous?.Issuer != issuer)
            {
                throw new JournalForkException($"The latest checkpoint of issuer '{issuer}' is malformed, or was signed by another key. Find out who changed it; to begin anew, move it away.");
            }

            if (previous.Size > size || await tree.GetRootAsync(previous.Size, cancellationToken).ConfigureAwait(false) != previous.Root)
            {
                throw new JournalForkException($"The journal of issuer '{issuer}' does not continue what was signed for at {previous.Time:u} ({previous.Size} entries; now {size}). A backup was restored, or somebody rewrote it: run the audit.");
            }

            if (previous.Size == size)
            {
                return previousNote;
            }
        }

        DateTimeOffset now = timeProvider.GetUtcNow();
        DateTimeOffset time = new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        return signer.Sign(new Checkpoint(issuer, size, await tree.GetRootAsync(size, cancellationToken).ConfigureAwait(false), time));
    }
}
