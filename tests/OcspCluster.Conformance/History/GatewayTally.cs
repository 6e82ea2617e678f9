namespace OcspCluster.Conformance;

/// <summary>How a question went.</summary>
public enum QuestionOutcome
{
    /// <summary>A status was told.</summary>
    Answered,

    /// <summary>responseStatus tryLater.</summary>
    TryLater,

    /// <summary>Another responseStatus that tells no status, or an HTTP error.</summary>
    Error,

    /// <summary>No answer: refused, reset, too late.</summary>
    Failed,
}

/// <summary>What one gateway was asked and told, in numbers. Thread-safe.</summary>
public sealed class GatewayTally(string name)
{
    private readonly Lock _lock = new();
    private readonly long[] _questions = new long[4];

    /// <summary>Whose.</summary>
    public string Name => name;

    /// <summary>Submissions that it acknowledged, and those that failed.</summary>
    public long Submissions { get; private set; }

    /// <summary>Submissions whose outcome stayed unknown.</summary>
    public long FailedSubmissions { get; private set; }

    /// <summary>The longest time without an answer that told a status.</summary>
    public LongestGap Gap { get; } = new();

    /// <summary>How many questions ended so.</summary>
    public long this[QuestionOutcome outcome]
    {
        get
        {
            lock (_lock)
            {
                return _questions[(int)outcome];
            }
        }
    }

    /// <summary>All questions.</summary>
    public long Questions
    {
        get
        {
            lock (_lock)
            {
                return _questions.Sum();
            }
        }
    }

    /// <summary>A question ended.</summary>
    public void Count(QuestionOutcome outcome, long at)
    {
        lock (_lock)
        {
            _questions[(int)outcome]++;
            if (outcome == QuestionOutcome.Answered)
            {
                Gap.Note(at);
            }
        }
    }

    /// <summary>A submission ended.</summary>
    public void CountSubmission(bool isAcknowledged)
    {
        lock (_lock)
        {
            _ = isAcknowledged ? Submissions++ : FailedSubmissions++;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => System.FormattableString.Invariant(
        $"{name}: {Questions:N0} questions, {this[QuestionOutcome.Answered]:N0} answered, {this[QuestionOutcome.TryLater]:N0} tryLater, {this[QuestionOutcome.Error]:N0} other errors, {this[QuestionOutcome.Failed]:N0} failed, longest gap {TimeSpan.FromTicks(Gap.Longest).TotalMilliseconds:N0} ms; {Submissions:N0} submissions, {FailedSubmissions:N0} of unknown outcome");
}
