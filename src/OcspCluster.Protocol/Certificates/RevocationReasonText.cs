namespace OcspCluster.Protocol;

/// <summary>The names of the reasons as RFC 5280 §5.3.1 spells them: <c>keyCompromise</c>, <c>cACompromise</c>.</summary>
public static class RevocationReasonText
{
    private static readonly (RevocationReason Reason, string Name)[] s_names =
    [
        (RevocationReason.Unspecified, "unspecified"),
        (RevocationReason.KeyCompromise, "keyCompromise"),
        (RevocationReason.CaCompromise, "cACompromise"),
        (RevocationReason.AffiliationChanged, "affiliationChanged"),
        (RevocationReason.Superseded, "superseded"),
        (RevocationReason.CessationOfOperation, "cessationOfOperation"),
        (RevocationReason.CertificateHold, "certificateHold"),
        (RevocationReason.RemoveFromCrl, "removeFromCRL"),
        (RevocationReason.PrivilegeWithdrawn, "privilegeWithdrawn"),
        (RevocationReason.AaCompromise, "aACompromise"),
    ];

    /// <summary>All names, in the order of their numbers.</summary>
    public static IEnumerable<string> Names => s_names.Select(pair => pair.Name);

    /// <summary>The name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no reason.</exception>
    public static string ToName(this RevocationReason reason)
    {
        foreach ((RevocationReason one, string name) in s_names)
        {
            if (one == reason)
            {
                return name;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(reason), reason, "No CRLReason (RFC 5280 §5.3.1).");
    }

    /// <summary>The reason of a name. Case does not matter: tools write <c>CACompromise</c> as well as <c>cACompromise</c>.</summary>
    /// <returns>False when no reason has this name.</returns>
    public static bool TryParseName(string? text, out RevocationReason reason)
    {
        foreach ((RevocationReason one, string name) in s_names)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                reason = one;
                return true;
            }
        }

        reason = default;
        return false;
    }
}
