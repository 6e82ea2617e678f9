using System.Security.Cryptography;

namespace OcspCluster.Authority;

/// <summary>How a signer is doing.</summary>
/// <param name="Running">How many signatures are being made.</param>
/// <param name="Waiting">How many wait for their turn.</param>
/// <param name="IsFailing">Whether it failed so often that it is only probed.</param>
public readonly record struct SignerState(int Running, int Waiting, bool IsFailing);

/// <summary>What a signer failed of last.</summary>
/// <param name="Reason">In a sentence.</param>
/// <param name="At">When.</param>
public sealed record SignerFailure(string Reason, DateTimeOffset At);

// One signer, many who want signatures
//
//     working --FailuresToRest failures in a row--> resting --Rest is over--> one call passes as the probe --+-- success --> working
//                                                      ^-----------------------------------------------------+-- failure
//
// A call that passes takes a slot, or waits for one within its deadline, in order of arrival. A key of this process signs on the caller's thread: a change of
// threads would cost as much as a P-256 signature. A remote one signs on a thread of its own, and its caller goes when the deadline is over; the slot is free only when
// the call has returned, so that a device that hangs holds no more than its sessions. A probe that finds no slot, or is not waited for, is followed by another one.

/// <summary>Signatures by one signer: so many at once, so many waiting, each with a deadline, and none for a while when it keeps failing. Thread-safe.</summary>
internal sealed class SignerQueue : IDisposable
{
    private readonly SigningCredential _credential;
    private readonly SignerLimits _limits;
    private readonly TimeProvider _clock;
    private readonly SignerThreads? _threads;
    private readonly int _concurrency;
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private int _running;
    private volatile int _failuresInARow;
    private long _restsUntil = long.MinValue;
    private long _sampled;
    private SignerFailure? _lastFailure;

    public SignerQueue(SigningCredential credential, TimeProvider clock)
    {
        _credential = credential;
        _limits = credential.Limits;
        _clock = clock;
        _concurrency = _limits.ConcurrencyOf(credential.Signer);
        _threads = credential.Signer.IsRemote ? new SignerThreads(_concurrency) : null;
    }

    public SignerState State
    {
        get
        {
            lock (_lock)
            {
                return new SignerState(_running, _waiting.Count, _failuresInARow >= _limits.FailuresToRest);
            }
        }
    }

    /// <summary>What failed last; null when nothing ever did.</summary>
    public SignerFailure? LastFailure => Volatile.Read(ref _lastFailure);

    /// <summary>Whether a call would be made now, as a probe if need be.</summary>
    public bool WouldTry
    {
        get
        {
            if (_failuresInARow < _limits.FailuresToRest)
            {
                return true; // as nearly always
            }

            lock (_lock)
            {
                return _failuresInARow < _limits.FailuresToRest || _clock.GetTimestamp() >= _restsUntil;
            }
        }
    }

    /// <summary>Lets the signer's threads end.</summary>
    public void Dispose() => _threads?.Dispose();

    /// <summary>Uses the signer when it is its turn. The job throws <see cref="CryptographicException"/>, or returns a failure, when the signer has failed.</summary>
    public ValueTask<SigningResult> RunAsync<TState>(TState state, Func<TState, SigningResult> job, CancellationToken cancellationToken)
    {
        TaskCompletionSource? turn = null;
        lock (_lock)
        {
            if (_failuresInARow >= _limits.FailuresToRest)
            {
                long now = _clock.GetTimestamp();
                if (now < _restsUntil)
                {
                    return ValueTask.FromResult(SigningResult.Consequence(
                        SigningFailure.Failing, $"The key of '{Name}' failed {_failuresInARow} times in a row: it is tried again in {_clock.GetElapsedTime(now, _restsUntil).TotalSeconds:F1} s.", _credential));
                }

                Rest(); // this one is the probe
            }

            if (_running < _concurrency)
            {
                _running++;
            }
            else if (_waiting.Count >= _limits.MaxWaiting)
            {
                return ValueTask.FromResult(SigningResult.Consequence(SigningFailure.Busy, $"{_waiting.Count} signatures wait for the key of '{Name}'.", _credential));
            }
            else
            {
                turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.AddLast(turn);
            }
        }

        // A key of this process that is free: nothing to wait for.
        return turn is null && _threads is null ? ValueTask.FromResult(Run(state, job)) : RunInTurnAsync(turn, state, job, cancellationToken);
    }

    /// <summary>Whether the next answer is one of the sample: the first is, and then so many of each hundred, evenly.</summary>
    public bool IsInSample(double sample)
    {
        if (sample is <= 0 or >= 1)
        {
            return sample >= 1;
        }

        long before = Interlocked.Increment(ref _sampled) - 1;
        return Math.Ceiling(before * sample) < Math.Ceiling((before + 1) * sample);
    }

    private string Name => _credential.Certificate.Subject;

    private async ValueTask<SigningResult> RunInTurnAsync<TState>(TaskCompletionSource? turn, TState state, Func<TState, SigningResult> job, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        if (turn is not null && !await WaitForTurnAsync(turn, cancellationToken).ConfigureAwait(false))
        {
            return SigningResult.Consequence(SigningFailure.Busy, $"The key of '{Name}' was not free within {_limits.Deadline}.", _credential);
        }

        if (_threads is null)
        {
            return Run(state, job);
        }

        TimeSpan left = _limits.Deadline - _clock.GetElapsedTime(start);
        try
        {
            return await _threads.RunAsync(() => Run(state, job)).WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            Report(hasFailed: true);
            return Note(SigningResult.News(SigningFailure.Failing, $"The key of '{Name}' did not sign within {_limits.Deadline}.", _credential, e));
        }
    }

    private async ValueTask<bool> WaitForTurnAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        try
        {
            await turn.Task.WaitAsync(_limits.Deadline, _clock, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            bool isLate;
            lock (_lock)
            {
                isLate = !_waiting.Remove(turn);
            }

            if (isLate)
            {
                EndTurn(); // it was given the turn just then
            }

            if (e is TimeoutException)
            {
                return false;
            }

            throw;
        }
    }

    private SigningResult Run<TState>(TState state, Func<TState, SigningResult> job)
    {
        bool hasFailed = true;
        try
        {
            SigningResult result = job(state);
            hasFailed = result.Failure != SigningFailure.None;
            return hasFailed ? Note(result) : result;
        }
        catch (CryptographicException e)
        {
            return Note(SigningResult.News(SigningFailure.Failing, $"The key of '{Name}' could not sign: {e.Message}", _credential, e));
        }
        finally
        {
            lock (_lock)
            {
                Judge(hasFailed);
                PassOn();
            }
        }
    }

    private SigningResult Note(SigningResult failure)
    {
        Volatile.Write(ref _lastFailure, new SignerFailure(failure.Reason, _clock.GetUtcNow()));
        return failure;
    }

    private void EndTurn()
    {
        lock (_lock)
        {
            PassOn();
        }
    }

    private void Report(bool hasFailed)
    {
        lock (_lock)
        {
            Judge(hasFailed);
        }
    }

    // Under the lock.
    private void PassOn()
    {
        if (_waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            next.Value.SetResult(); // the slot is theirs
        }
        else
        {
            _running--;
        }
    }

    // Under the lock.
    private void Judge(bool hasFailed)
    {
        _failuresInARow = hasFailed ? _failuresInARow + 1 : 0;
        if (_failuresInARow >= _limits.FailuresToRest)
        {
            Rest();
        }
    }

    private void Rest() => _restsUntil = _clock.GetTimestamp() + (long)(_limits.Rest.TotalSeconds * _clock.TimestampFrequency);
}
