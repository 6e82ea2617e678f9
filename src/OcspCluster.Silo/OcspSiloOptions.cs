namespace OcspCluster.Silo;

/// <summary>What a silo does in its cluster.</summary>
public enum SiloRole
{
    /// <summary>It has the keys: it hosts actors, signs and takes events, and answers relying parties.</summary>
    Sign,

    /// <summary>It answers relying parties, and has what it lacks signed by others: no private key is loaded, and it hosts no actor.</summary>
    Gateway,
}

/// <summary>What is answered while the store cannot be reached and leases run out.</summary>
public enum WithoutStore
{
    /// <summary>Cached <c>good</c> goes on while every other silo says that the store is away for it, too, and promises to acknowledge nothing meanwhile (docs/decisions/0020).</summary>
    AnswerWhileAllAgree,

    /// <summary>Leases run out, and <c>good</c> is tryLater.</summary>
    TryLater,
}

/// <summary>How a silo keeps its promises, the same on all silos of a cluster.</summary>
public sealed record OcspSiloOptions
{
    /// <summary>What the silo does. Default <see cref="SiloRole.Sign"/>.</summary>
    public SiloRole Role { get; init; }

    /// <summary>
    /// How long a gateway may give cached answers without hearing from the store, and therefore the longest that an acknowledgement waits for a gateway that is gone. The same on all silos. 0.5 to 60 seconds. Default 2 seconds.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a request waits for an actor, and then again for the store, before it is answered without. 50 milliseconds to 30 seconds. Default 1 second.</summary>
    public TimeSpan CallDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What is answered while the store cannot be reached. Default <see cref="WithoutStore.AnswerWhileAllAgree"/>.</summary>
    public WithoutStore WithoutStore { get; init; }

    /// <summary>Every bound that these values break, each with name, value and bound; empty when none.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (!Enum.IsDefined(Role) || !Enum.IsDefined(WithoutStore))
        {
            yield return "Role or WithoutStore has a value that does not exist";
        }

        if (Lease < TimeSpan.FromSeconds(0.5) || Lease > TimeSpan.FromMinutes(1))
        {
            yield return $"Lease is {Lease}: 0.5 to 60 seconds";
        }

        if (CallDeadline < TimeSpan.FromMilliseconds(50) || CallDeadline > TimeSpan.FromSeconds(30))
        {
            yield return $"CallDeadline is {CallDeadline}: 0.05 to 30 seconds";
        }
    }
}
