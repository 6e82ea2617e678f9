using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

/// <summary>One write in the writer's queue: carried out in a transaction that it shares with others, and told of when that is durable.</summary>
internal abstract class StoreWrite
{
    /// <summary>How much of a commit it takes, in journal entries.</summary>
    public abstract int Weight { get; }

    /// <summary>Does it in the open transaction, or nothing of it.</summary>
    public abstract void Carry(JournalWriterStatements statements);

    /// <summary>The transaction is durable.</summary>
    public abstract void Complete();

    /// <summary>The transaction failed, and with it all of its writes.</summary>
    public abstract void Fail(RevocationStoreException failure);
}

/// <summary>An append to a journal.</summary>
internal sealed class Append(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries) : StoreWrite
{
    private readonly TaskCompletionSource<AppendResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AppendResult _result;
    private RevocationStoreException? _refusal;

    public IssuerId Issuer => issuer;

    public long ExpectedPosition => expectedPosition;

    public IReadOnlyList<JournalEntry> Entries => entries;

    public Task<AppendResult> Completion => _completion.Task;

    public override int Weight => entries.Count;

    public override void Carry(JournalWriterStatements statements) => statements.Carry(this);

    /// <summary>What to answer once the commit is durable.</summary>
    public void Resolve(AppendResult result) => _result = result;

    /// <summary>What to throw although the commit of the others goes on.</summary>
    public void Refuse(RevocationStoreException refusal) => _refusal = refusal;

    public override void Complete()
    {
        if (_refusal is null)
        {
            _completion.TrySetResult(_result);
        }
        else
        {
            _completion.TrySetException(_refusal);
        }
    }

    public override void Fail(RevocationStoreException failure) => _completion.TrySetException(failure);
}

/// <summary>A move of a delivery cursor.</summary>
internal sealed class CursorMove(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next) : StoreWrite
{
    private readonly TaskCompletionSource<bool> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isMoved;

    public Task<bool> Completion => _completion.Task;

    public override int Weight => 1;

    public override void Carry(JournalWriterStatements statements)
    {
        _isMoved = statements.Cursors.Find(receiver, issuer) == expected;
        if (_isMoved)
        {
            statements.Cursors.Replace(receiver, issuer, next);
        }
    }

    public override void Complete() => _completion.TrySetResult(_isMoved);

    public override void Fail(RevocationStoreException failure) => _completion.TrySetException(failure);
}
