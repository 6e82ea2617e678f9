namespace OcspCluster.Authority;

/// <summary>How much is asked of one signer at once, how long anybody waits for it, and when it is given a rest. Immutable.</summary>
public sealed record SignerLimits
{
    /// <summary>The defaults.</summary>
    public static SignerLimits Default { get; } = new();

    /// <summary>The most signatures at once, for an HSM its sessions. 0 to 256; 0, the default, is the number of processors for a key in this process, and 4 for one elsewhere.</summary>
    public int Concurrency { get; init; }

    /// <summary>The most signatures that wait for their turn; what comes then is tryLater at once. 0 to 100,000. Default 256.</summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>The longest that a request waits, for its turn and for the signature together. 10 ms to 1 minute. Default 2 seconds.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many failures in a row make a signer one that is failing: it is asked for nothing but a probe from time to time. 1 to 1,000. Default 5.</summary>
    public int FailuresToRest { get; init; } = 5;

    /// <summary>How long a failing signer is left alone between two probes. 100 ms to 10 minutes. Default 5 seconds.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Every bound that these values break, each with name, value and bound; empty when none.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (Concurrency is < 0 or > 256)
        {
            yield return $"Concurrency is {Concurrency}: 0 to 256";
        }

        if (MaxWaiting is < 0 or > 100_000)
        {
            yield return $"MaxWaiting is {MaxWaiting}: 0 to 100000";
        }

        if (Deadline < TimeSpan.FromMilliseconds(10) || Deadline > TimeSpan.FromMinutes(1))
        {
            yield return $"Deadline is {Deadline}: 10 milliseconds to 1 minute";
        }

        if (FailuresToRest is < 1 or > 1000)
        {
            yield return $"FailuresToRest is {FailuresToRest}: 1 to 1000";
        }

        if (Rest < TimeSpan.FromMilliseconds(100) || Rest > TimeSpan.FromMinutes(10))
        {
            yield return $"Rest is {Rest}: 100 milliseconds to 10 minutes";
        }
    }

    /// <summary>The most signatures at once by a signer.</summary>
    internal int ConcurrencyOf(Protocol.OcspSigner signer) => Concurrency > 0 ? Concurrency : signer.IsRemote ? 4 : Environment.ProcessorCount;
}
