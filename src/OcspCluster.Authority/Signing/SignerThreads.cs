using System.Collections.Concurrent;

namespace OcspCluster.Authority;

/// <summary>
/// Threads for calls that wait for another device. The thread pool is for work that computes: a handful of calls that hang there would stop the answers
/// from the cache, too. As many threads as calls at once, each made when it is first needed.
/// </summary>
internal sealed class SignerThreads(int most) : IDisposable
{
    private readonly BlockingCollection<Action> _calls = [];
    private int _started;

    /// <summary>Makes a call on one of the threads.</summary>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Add(() =>
        {
            try
            {
                done.SetResult(call());
            }
#pragma warning disable CA1031 // It is thrown where the call is awaited.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        });
        if (Volatile.Read(ref _started) < most && Interlocked.Increment(ref _started) <= most)
        {
            new Thread(Work) { IsBackground = true, Name = "signer" }.Start();
        }

        return done.Task;
    }

    /// <summary>Lets the threads end; one whose call never returns ends with the process.</summary>
    public void Dispose() => _calls.CompleteAdding();

    private void Work()
    {
        foreach (Action call in _calls.GetConsumingEnumerable())
        {
            call();
        }
    }
}
