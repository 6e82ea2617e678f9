namespace OcspCluster.Gateway;

/// <summary>How much a finding matters.</summary>
internal enum FindingSeverity
{
    /// <summary>Somebody has to look at it in working hours.</summary>
    Warning,

    /// <summary>Relying parties or the CA are affected, or will be soon.</summary>
    Critical,
}

/// <summary>Something that is wrong, or will be soon. Immutable.</summary>
/// <param name="Code">What it is, for machines and the runbook: <c>signer.down</c>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
/// <param name="Cure">What to do, in a sentence.</param>
/// <param name="Issuer">Whom it is about; null when it is about all.</param>
/// <param name="Subject">What tells it from others of its code and issuer: a receiver's name, a node.</param>
internal sealed record Finding(string Code, FindingSeverity Severity, string Message, string Cure, string? Issuer = null, string? Subject = null)
{
    /// <summary>Since when it has been so, as far as is known.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>The process that finds it; null when all do, or there is one only.</summary>
    public string? Node { get; init; }

    /// <summary>Whether it is about all processes together, so that one of them telling it is enough.</summary>
    public bool IsShared { get; init; }

    /// <summary>Whether two are about the same thing, though it may have grown worse.</summary>
    public bool IsSameAs(Finding other) => Code == other.Code && Issuer == other.Issuer && Subject == other.Subject && Node == other.Node;
}
