using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>In which order answers that are due are signed: the first first.</summary>
public enum RefreshPriority
{
    /// <summary>The certificate was revoked, suspended or released since the last answer: relying parties wait for it.</summary>
    NewlyRevoked,

    /// <summary>The last answer ends soon, or a rule says that a newer one had to be there by now.</summary>
    AboutToExpire,

    /// <summary>A relying party asked for it since it was signed.</summary>
    AskedRecently,

    /// <summary>Everything else.</summary>
    Cold,
}

/// <summary>When an answer is signed anew, and which of many that are due comes first. Pure: the same answer in every host.</summary>
/// <remarks>
/// An answer is due in the background at a point of the window that ends at RefreshAt × validity after thisUpdate; where in it is told by the serial number. A million
/// certificates that were imported and signed in one hour therefore come due over a fifth of the time until then, and at the same points in every host and after every
/// restart. The window never reaches beyond the bounds of BR 4.9.9, and it ends before a request would find the answer due, so that hardly any client waits for a signature.
/// </remarks>
public static class RefreshRules
{
    /// <summary>The part of the time until an answer is due over which answers of the same age are spread.</summary>
    public const double Spread = 0.2;

    /// <summary>The least time between a newer answer and the nextUpdate of the older one, where the interval is 16 hours or more (BR 4.9.9).</summary>
    public static readonly TimeSpan BrLead = TimeSpan.FromHours(8);

    /// <summary>The longest time from thisUpdate until a newer answer, where the interval is 16 hours or more (BR 4.9.9).</summary>
    public static readonly TimeSpan BrLongestWait = TimeSpan.FromDays(4);

    /// <summary>Below this interval a newer answer is there by half of it (BR 4.9.9).</summary>
    public static readonly TimeSpan BrShortInterval = TimeSpan.FromHours(16);

    /// <summary>When a newer answer has to be there at the latest (BR 4.9.9 where the issuer is public), whatever RefreshAt says.</summary>
    /// <param name="profile">Whose rules hold.</param>
    /// <param name="thisUpdate">Of the answer.</param>
    /// <param name="nextUpdate">Of the answer; the interval includes it.</param>
    public static DateTimeOffset LatestAt(IssuerProfile profile, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate)
    {
        TimeSpan interval = Interval(thisUpdate, nextUpdate);
        return profile switch
        {
            IssuerProfile.Public when interval < BrShortInterval => thisUpdate + (interval / 2),
            IssuerProfile.Public => Earlier(nextUpdate - BrLead, thisUpdate + BrLongestWait),
            _ => thisUpdate + (interval * 0.95),
        };
    }

    /// <summary>From when on a request finds an answer due: the end of the window in which it is due in the background.</summary>
    /// <param name="policy">Of the issuer.</param>
    /// <param name="thisUpdate">Of the answer.</param>
    /// <param name="nextUpdate">Of the answer.</param>
    public static DateTimeOffset DueOnDemandAt(IssuerPolicy policy, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Earlier(thisUpdate + (Interval(thisUpdate, nextUpdate) * policy.RefreshAt), LatestAt(policy.Profile, thisUpdate, nextUpdate));
    }

    /// <summary>When an answer is to be signed anew in the background.</summary>
    /// <param name="policy">Of the issuer.</param>
    /// <param name="serial">Whose answer it is; it tells the place in the window.</param>
    /// <param name="thisUpdate">Of the answer.</param>
    /// <param name="nextUpdate">Of the answer. It may be earlier than the policy says, where the signer's certificate ends.</param>
    public static DateTimeOffset DueAt(IssuerPolicy policy, SerialNumber serial, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate)
    {
        DateTimeOffset end = DueOnDemandAt(policy, thisUpdate, nextUpdate);
        return end - ((end - thisUpdate) * (Spread * SerialHash.Fraction(serial.Content)));
    }

    /// <summary>Which of the answers that are due is signed first.</summary>
    /// <param name="isNewlyRevoked">Whether the status changed since it was signed, or no answer was ever signed for the change.</param>
    /// <param name="wasAsked">Whether a relying party asked for it since it was signed.</param>
    /// <param name="latestAt">When a newer one has to be there (<see cref="LatestAt"/>).</param>
    /// <param name="now">The time.</param>
    public static RefreshPriority PriorityOf(bool isNewlyRevoked, bool wasAsked, DateTimeOffset latestAt, DateTimeOffset now) => (isNewlyRevoked, now >= latestAt, wasAsked) switch
    {
        (true, _, _) => RefreshPriority.NewlyRevoked,
        (_, true, _) => RefreshPriority.AboutToExpire,
        (_, _, true) => RefreshPriority.AskedRecently,
        _ => RefreshPriority.Cold,
    };

    /// <summary>Every bound of BR 4.9.9 that a policy would break, each with name, value and bound; empty when none or when the issuer is not public.</summary>
    public static IEnumerable<string> FindErrors(IssuerPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Profile switch
        {
            IssuerProfile.Public => FindPublicErrors(policy),
            IssuerProfile.PublicCaCertificates => FindCaErrors(policy),
            _ => [],
        };
    }

    private static IEnumerable<string> FindPublicErrors(IssuerPolicy policy)
    {
        const string Otherwise = "; an issuer that is not publicly trusted takes Profile Private";
        if (policy.Validity < BrLead || policy.Validity > TimeSpan.FromDays(10))
        {
            yield return $"Validity is {policy.Validity}: 8 hours to 10 days for a public issuer (BR 4.9.9){Otherwise}";
            yield break; // when to refresh what may not be is no question
        }

        TimeSpan refresh = policy.Validity * policy.RefreshAt;
        if (policy.Validity < BrShortInterval)
        {
            if (policy.RefreshAt > 0.5)
            {
                yield return $"RefreshAt is {policy.RefreshAt}: at most 0.5 where Validity is below 16 hours, for a public issuer has a newer answer by half of it (BR 4.9.9){Otherwise}";
            }
        }
        else if (refresh > policy.Validity - BrLead)
        {
            yield return $"RefreshAt is {policy.RefreshAt}: at most {Part(policy.Validity - BrLead)} with Validity {policy.Validity}, for a public issuer has a newer answer 8 hours before nextUpdate (BR 4.9.9){Otherwise}";
        }
        else if (refresh > BrLongestWait)
        {
            yield return $"RefreshAt is {policy.RefreshAt}: at most {Part(BrLongestWait)} with Validity {policy.Validity}, for a public issuer has a newer answer 4 days after thisUpdate (BR 4.9.9){Otherwise}";
        }

        // Rounded down: what is proposed must be taken.
        double Part(TimeSpan latest) => Math.Floor(latest / policy.Validity * 1000) / 1000;
    }

    private static IEnumerable<string> FindCaErrors(IssuerPolicy policy)
    {
        if (policy.Validity * policy.RefreshAt > TimeSpan.FromDays(365))
        {
            yield return $"RefreshAt is {policy.RefreshAt} with Validity {policy.Validity}: a public CA's answers about CA certificates are renewed within 12 months (BR 4.9.9)";
        }
    }

    private static TimeSpan Interval(DateTimeOffset thisUpdate, DateTimeOffset nextUpdate) => nextUpdate - thisUpdate + TimeSpan.FromSeconds(1);

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
