using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Something that tells an issuer's revocations without being asked to: looked at again and again. For one caller at a time, but for its state.</summary>
public abstract class RevocationSource
{
    private static readonly TimeSpan s_leastPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(30);

    private volatile SourceState _state;

    /// <summary>Of an issuer.</summary>
    private protected RevocationSource(IssuerId issuer, SourceState state, TimeSpan interval, TimeProvider clock)
    {
        Issuer = issuer;
        _state = state;
        Interval = interval;
        Clock = clock;
    }

    /// <summary>Whose revocations.</summary>
    public IssuerId Issuer { get; }

    /// <summary>How it is.</summary>
    public SourceState State => _state;

    /// <summary>How often it is looked at when all is well.</summary>
    public TimeSpan Interval { get; }

    /// <summary>What operators should know of it; null when nothing.</summary>
    public string? Warning
    {
        get
        {
            SourceState state = _state;
            string name = $"issuer '{Issuer}': the {state.Kind} source {state.Location}";
            return state switch
            {
                { Error: string error, NextUpdate: { } until } => $"{name} failed {state.Failures} times in a row: {error} The last CRL {(until < Clock.GetUtcNow() ? "ended" : "lasts until")} {until:u}",
                { Error: string error } => $"{name} failed {state.Failures} times in a row: {error}",
                { NextUpdate: { } until } when until < Clock.GetUtcNow() => $"{name} is stale: the last CRL ended at {until:u}",
                { Problem: string problem } => $"{name}: {problem}",
                _ => null,
            };
        }
    }

    /// <summary>Whether what it told last is beyond its time, or it cannot be read.</summary>
    public bool IsStale => _state.NextUpdate is { } until ? until < Clock.GetUtcNow() : _state.Error is not null;

    private protected TimeProvider Clock { get; }

    /// <summary>Looks at it once. What is wrong with it is its state, not an exception.</summary>
    /// <returns>How long to wait before the next time.</returns>
    /// <exception cref="OperationCanceledException">The program ends.</exception>
    public async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = Clock.GetUtcNow();
        SourceState next;
        try
        {
            next = await LookAsync(_state with { LastLook = now, HeldBy = null }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SourceException or RevocationStoreException or IOException or UnauthorizedAccessException)
        {
            next = _state with { LastLook = now, HeldBy = null, Error = e.Message };
        }

        bool isWell = next.Error is null;
        next = next with { Failures = isWell ? 0 : next.Failures + 1, LastSuccess = isWell ? now : next.LastSuccess };
        _state = next;
        return isWell ? PauseBefore(next, now) : Backoff(next.Failures);
    }

    /// <summary>Another host looks at it: how it is, is told there.</summary>
    internal void StandBy(string heldBy) => _state = new SourceState(_state.Kind, _state.Location) { HeldBy = heldBy };

    /// <summary>Looks at it once, and gives what it is like then.</summary>
    private protected abstract Task<SourceState> LookAsync(SourceState state, CancellationToken cancellationToken);

    // Before the CRL ends, and never in a hurry.
    private TimeSpan PauseBefore(SourceState state, DateTimeOffset now)
    {
        TimeSpan pause = Interval;
        if (state.NextUpdate is { } until && until > now && (until - now) * 0.9 < pause)
        {
            pause = (until - now) * 0.9;
        }

        return pause > s_leastPause ? pause : s_leastPause;
    }

    private TimeSpan Backoff(int failures)
    {
        TimeSpan pause = s_firstRetry * Math.Pow(2, Math.Min(failures - 1, 10));
        return pause < Interval ? pause : Interval;
    }
}

/// <summary>A source cannot be read, or says what cannot be taken; the message tells an operator.</summary>
internal sealed class SourceException(string message) : Exception(message);
