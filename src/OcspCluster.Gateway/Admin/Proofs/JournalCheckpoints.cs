using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Where checkpoints and proofs come from: the host's store and the journal's key.</summary>
/// <param name="Open">Opens the store for proofs, as of now.</param>
/// <param name="SignAsync">Signs for a journal as it is now and keeps the note; the note of before where the journal has not grown.</param>
public sealed record JournalNotes(Func<IAuditStore> Open, Func<IssuerId, CancellationToken, Task<string>> SignAsync)
{
    /// <summary>Whether this host has the journal's key. One that has not hands out what others signed, and has nothing to do by itself.</summary>
    public bool MaySign { get; init; } = true;
}

/// <summary>Keeps each issuer's checkpoint fresh: every minute that the journal has grown, and no more often. Thread-safe.</summary>
public sealed partial class JournalCheckpoints(
    IssuerDirectory directory, PublishedJournal journal, JournalNotes notes, TimeProvider clock, ILogger<JournalCheckpoints> log) : BackgroundService
{
    /// <summary>How often a checkpoint is signed at most, and how old one is at most while the journal grows.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ConcurrentDictionary<IssuerId, SignedNote> _latest = new();
    private readonly ConcurrentDictionary<IssuerId, CheckpointProblem> _problems = new();

    /// <summary>Why the last attempt to sign failed; null when it did not.</summary>
    internal CheckpointProblem? FindProblem(IssuerId issuer) => _problems.GetValueOrDefault(issuer);

    /// <summary>The latest checkpoint of an issuer; a new one where that is older than <see cref="Interval"/> and the journal has grown.</summary>
    /// <exception cref="JournalForkException">The journal does not continue what was signed for before.</exception>
    /// <exception cref="RevocationStoreException">The store or the key cannot be used.</exception>
    public async Task<string> GetAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            long position = journal.GetPosition(issuer);
            if (_latest.TryGetValue(issuer, out SignedNote? latest) && (latest.Position == position || clock.GetElapsedTime(latest.Timestamp) < Interval))
            {
                return latest.Text;
            }

            string text = await SignAsync(issuer, cancellationToken).ConfigureAwait(false);
            _latest[issuer] = new SignedNote(text, position, clock.GetTimestamp());
            return text;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval, clock);
        while (notes.MaySign && await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            foreach (Issuer issuer in directory.Issuers)
            {
                try
                {
                    await GetAsync(issuer.Id, stoppingToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is JournalForkException or RevocationStoreException)
                {
                    LogNotSigned(issuer.Id, e.Message, e); // answering goes on, and so do the other journals
                }
            }
        }
    }

    private async Task<string> SignAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        try
        {
            string text = await notes.SignAsync(issuer, cancellationToken).ConfigureAwait(false);
            _problems.TryRemove(issuer, out _);
            return text;
        }
        catch (Exception e) when (e is JournalForkException or RevocationStoreException)
        {
            _problems[issuer] = new CheckpointProblem(e is JournalForkException, e.Message);
            throw;
        }
    }

    [LoggerMessage(83, LogLevel.Error, "No checkpoint of issuer {Issuer} was signed: {Reason}")]
    private partial void LogNotSigned(IssuerId issuer, string reason, Exception exception);

    // Of the position before it was signed: what came meanwhile makes the next one due.
    private sealed record SignedNote(string Text, long Position, long Timestamp);
}

/// <summary>Why no checkpoint was signed.</summary>
/// <param name="IsFork">Whether the journal does not continue what was signed for before.</param>
/// <param name="Reason">In words.</param>
internal sealed record CheckpointProblem(bool IsFork, string Reason);
