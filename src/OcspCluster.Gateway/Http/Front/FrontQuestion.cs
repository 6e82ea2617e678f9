namespace OcspCluster.Gateway;

/// <summary>A request that has no answer in the cache, while it is answered on a thread of the pool.</summary>
internal sealed class FrontQuestion(FrontLoop loop, FrontConnection connection, byte[] request, bool closes, FrontListener listener) : IThreadPoolWorkItem
{
    /// <summary>Who asks.</summary>
    public FrontConnection Connection => connection;

    /// <summary>Head and body of the answer; null when there is none.</summary>
    public AnswerBuffer? Answer { get; private set; }

    /// <inheritdoc/>
    public void Execute() => _ = AskAsync();

    private async Task AskAsync()
    {
        try
        {
            OcspReply reply = await listener.Answers.AnswerAsync(request, listener.Aborted).ConfigureAwait(false);
            AnswerBuffer answer = new(ResponseHead.MaxBytes + reply.Body.Length);
            listener.Answers.Write(answer, reply, closes);
            Answer = answer;
        }
        catch (OperationCanceledException) when (listener.Aborted.IsCancellationRequested)
        {
            // The listener has ended; there is nobody to answer.
        }
        catch (Exception e)
        {
            listener.LogRequestFailed(e);
        }

        loop.Post(this);
    }
}
