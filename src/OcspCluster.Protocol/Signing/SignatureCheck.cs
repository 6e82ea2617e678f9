namespace OcspCluster.Protocol;

/// <summary>What became of a signature. A closed set.</summary>
public enum SignatureCheck
{
    /// <summary>The key made this signature over this data.</summary>
    Verified = 0,

    /// <summary>It did not; or the signature, or the key, is not one for this algorithm.</summary>
    Wrong,

    /// <summary>Nobody here knows the algorithm, its parameters or its curve.</summary>
    AlgorithmUnsupported,

    /// <summary>The hash, or the key, is too weak to prove anything; the signature was not looked at.</summary>
    AlgorithmTooWeak,
}
