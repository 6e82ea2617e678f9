using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary><c>POST …/plan</c>: measures an issuer's key where it is, and tells whether it keeps so many answers fresh.</summary>
internal sealed class PlanEndpoint(IssuerDirectory directory, IRevocationStore store, ResponseFactory factory, IOptions<OcspGatewayOptions> options)
{
    private const long MaxCertificates = 10_000_000_000;
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(1);

    public async Task<IResult> PostAsync(HttpContext context, string issuer, string? certificates)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        long count = 0;
        if (!string.IsNullOrEmpty(certificates) && (!long.TryParse(certificates, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count > MaxCertificates))
        {
            return AdminProblems.BadParameter("certificates", $"is not a number from 0 to {MaxCertificates}");
        }

        if (string.IsNullOrEmpty(certificates))
        {
            StatusCounts counts = await store.CountAsync(found.Id, context.RequestAborted).ConfigureAwait(false);
            count = counts.Good + counts.Revoked + counts.Held;
        }

        // The time that passes is real, whatever time the host's clock shows.
        (double perSecond, int bytes, string? failure) = await SignerMeasure.RunAsync(found, factory, s_measured, TimeProvider.System, context.RequestAborted).ConfigureAwait(false);
        return failure is not null
            ? AdminProblems.Create(StatusCodes.Status409Conflict, "Nothing can be measured", $"This node cannot sign now: {failure}")
            : Results.Json(PlanView.Of(found, RefreshPlan.Compute(count, found.Policy, perSecond, bytes, SignerMeasure.CommonBytesOf(found)), bytes, options.Value.CacheBytes));
    }
}

/// <summary>What keeping an issuer's answers fresh takes. Durations in seconds.</summary>
internal sealed record PlanView(
    string Issuer,
    long Certificates,
    string Presign,
    double Validity,
    [property: Description("From one answer to the next, on average.")] double Period,
    int ResponseBytes,
    double MeasuredPerSecond,
    [property: Description("RefreshSignaturesPerSecond of the policy.")] int BudgetPerSecond,
    double NeededPerSecond,
    [property: Description("When all were signed at once.")] double PeakPerSecond,
    [property: Description("What is available by what is needed; null when nothing is needed.")] double? Headroom,
    long StorageBytes,
    long CacheBytes,
    double FullResign,
    [property: Description("At full speed.")] double EmergencyResign,
    bool IsSufficient,
    [property: Description("The judgement, in sentences.")] IReadOnlyList<string> Verdicts)
{
    public static PlanView Of(Issuer issuer, RefreshPlan plan, int responseBytes, long cacheBytes) => new(
        issuer.Id.ToString(),
        plan.Certificates,
        issuer.Policy.Presign.ToString(),
        issuer.Policy.Validity.TotalSeconds,
        plan.Period.TotalSeconds,
        responseBytes,
        Math.Round(plan.MeasuredPerSecond, 1),
        issuer.Policy.RefreshSignaturesPerSecond,
        plan.NeededPerSecond,
        plan.PeakPerSecond,
        double.IsInfinity(plan.Headroom) ? null : plan.Headroom,
        plan.StorageBytes,
        cacheBytes,
        plan.FullResign.TotalSeconds,
        plan.EmergencyResign.TotalSeconds,
        plan.IsSufficient,
        [.. Judge(issuer.Policy, plan, cacheBytes)]);

    /// <summary>Whether it suffices, and else what to do.</summary>
    public static IEnumerable<string> Judge(IssuerPolicy policy, RefreshPlan plan, long cacheBytes)
    {
        yield return plan.IsSufficient
            ? "The signer keeps up."
            : plan.AvailablePerSecond < plan.MeasuredPerSecond
                ? "The budget does not suffice: raise RefreshSignaturesPerSecond, or Validity."
                : "The signer does not suffice: take a faster key (ECDSA P-256) or another HSM, raise Validity, or presign less.";
        if (plan.StorageBytes > cacheBytes && policy.Presign != Authority.Presign.OnDemand)
        {
            yield return "The cache does not hold all answers: raise Ocsp:CacheBytes, or what leaves it is signed on demand.";
        }
    }
}
