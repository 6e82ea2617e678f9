using OcspCluster.Authority;

namespace OcspCluster.Silo.Coherence;

/// <summary>A silo's row in an issuer's table of leases.</summary>
/// <param name="Silo">The silo's address with its generation, as text.</param>
/// <param name="Number">The number of its last renewal.</param>
internal readonly record struct LeaseRow(string Silo, long Number);

/// <summary>What a renewal found, all at one instant.</summary>
/// <param name="Head">The journal's last position.</param>
/// <param name="Published">The last position that no gateway contradicts any more, as far as it was told.</param>
/// <param name="Rows">The table after the renewal.</param>
internal sealed record LeaseRenewal(long Head, long Published, IReadOnlyList<LeaseRow> Rows);

/// <summary>The leases of each issuer, in the store beside the journal. Thread-safe.</summary>
/// <remarks>Every method may throw <see cref="RevocationStoreException"/>; what was to be written may then be written all the same, now or later.</remarks>
internal interface ILeaseTable
{
    /// <summary>Writes a silo's row and reads the journal's position, as one step.</summary>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="mine">The silo's row; without effect and without an answer when the table has that number of it or a higher one.</param>
    /// <param name="ended">Rows of others whose leases are over: removed when they are still the same.</param>
    /// <param name="published">The last position that this silo knows to be published; raises the table's.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<LeaseRenewal> RenewAsync(IssuerId issuer, LeaseRow mine, IReadOnlyList<LeaseRow> ended, long published, CancellationToken cancellationToken);

    /// <summary>Reads all rows.</summary>
    Task<IReadOnlyList<LeaseRow>> ReadAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>Removes a silo's own row, and takes note of what it knows to be published: it may be the last that does.</summary>
    Task RemoveAsync(IssuerId issuer, string silo, long published, CancellationToken cancellationToken);
}
