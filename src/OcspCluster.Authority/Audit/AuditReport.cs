using System.Globalization;

namespace OcspCluster.Authority;

/// <summary>What an audit can find wrong.</summary>
public enum AuditFault
{
    /// <summary>The store refuses to give the entry, or what stands there does not match its checksum.</summary>
    Unreadable,

    /// <summary>There is no entry at this position, and there are entries after it.</summary>
    Missing,

    /// <summary>The entry's digest is not that of the entry and the digest before it.</summary>
    HashMismatch,

    /// <summary>The end of the journal is not where the store says, or its digest is another.</summary>
    HeadMismatch,

    /// <summary>A stored node of the tree is not what its entries give.</summary>
    TreeMismatch,

    /// <summary>The signed checkpoint is malformed, another issuer's, or its signature is wrong.</summary>
    CheckpointInvalid,

    /// <summary>The signed checkpoint speaks of another journal: of more entries than there are, or of another root.</summary>
    CheckpointMismatch,

    /// <summary>The entry records a status that does not follow from its event by the rules.</summary>
    RuleMismatch,

    /// <summary>The certificate's status is not what its entries give, or does not match its checksum.</summary>
    StatusMismatch,

    /// <summary>There is no status of the certificate of this entry.</summary>
    StatusMissing,

    /// <summary>There is a status, and a look-up does not arrive at it.</summary>
    StatusUnfindable,

    /// <summary>There is a status of a certificate that no entry speaks of.</summary>
    StatusUnfounded,

    /// <summary>The numbers of certificates in each state are not what the statuses give.</summary>
    CountMismatch,

    /// <summary>An exported line is not what the format says.</summary>
    Malformed,
}

/// <summary>Something that is wrong.</summary>
/// <param name="Position">The journal position of the entry; null when the fault is not one entry's.</param>
/// <param name="Fault">What is wrong.</param>
/// <param name="Detail">In words.</param>
public sealed record AuditFinding(long? Position, AuditFault Fault, string Detail)
{
    /// <summary>For an operator.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Position is { } position ? $"entry {position}" : "store")}: {Fault}: {Detail}");
}

/// <summary>The outcome of an audit of one issuer's journal.</summary>
/// <param name="Issuer">Whose.</param>
/// <param name="Entries">How many entries were read and found sound.</param>
/// <param name="Certificates">How many certificates' statuses were compared.</param>
/// <param name="Root">The root of the tree over the entries that were read.</param>
/// <param name="Checkpoint">The signed checkpoint that the journal was compared with; null when there was none.</param>
/// <param name="FirstFinding">The first bad entry; null when all is well.</param>
/// <param name="Findings">How many there are. An audit whose chain breaks does not go on to the statuses.</param>
public sealed record AuditReport(IssuerId Issuer, long Entries, long Certificates, Digest Root, Checkpoint? Checkpoint, AuditFinding? FirstFinding, long Findings)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsAccepted => FirstFinding is null;
}

/// <summary>How far an audit is.</summary>
/// <param name="Issuer">Whose journal.</param>
/// <param name="Phase">What it does.</param>
/// <param name="Done">How many entries or certificates of the phase.</param>
public readonly record struct AuditProgress(IssuerId Issuer, string Phase, long Done);
