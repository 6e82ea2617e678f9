using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Plan;

/// <summary>The verb <c>plan</c>: whether an issuer's key and budget keep its answers fresh, measured with that key.</summary>
internal static class PlanRun
{
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(2);

    /// <summary>Measures, and prints a table.</summary>
    public static Task<int> RunAsync(Settings settings, string issuerId, long? certificates, TextWriter output) => MeasureAsync(settings, issuerId, certificates, async (issuer, plan, responseBytes, cacheBytes) =>
    {
        await output.WriteAsync(Describe(issuer, plan, responseBytes, cacheBytes)).ConfigureAwait(false);
        return ExitCodes.Success;
    });

    /// <summary>Measures, and has it told.</summary>
    public static async Task<int> MeasureAsync(Settings settings, string? issuerId, long? certificates, Func<Issuer, RefreshPlan, int, long, Task<int>> tell)
    {
        if (certificates < 0)
        {
            throw new ConfigurationException([new("--certificates", certificates.Value.ToString(CultureInfo.InvariantCulture), "is negative: 0 and more")]);
        }

        ResponderOptions options = ResponderOptions.Read(settings, TimeProvider.System.GetUtcNow());
        try
        {
            if ((issuerId is null && options.Issuers.Count == 1 ? options.Issuers[0] : options.Issuers.FirstOrDefault(issuer => issuer.Id.ToString() == issuerId)) is not Issuer issuer)
            {
                string known = options.Issuers.Count == 0 ? "none is configured (a plan for the demo would say nothing)" : string.Join(", ", options.Issuers.Select(one => one.Id));
                throw new ConfigurationException([new("--issuer", issuerId, $"there is no such issuer in the section Issuers: {known}")]);
            }

            long count = certificates ?? await CountAsync(options, issuer).ConfigureAwait(false);
            using ResponseFactory factory = new(TimeProvider.System);
            (double perSecond, int responseBytes, string? failure) = await SignerMeasure.RunAsync(issuer, factory, s_measured, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            return failure is null
                ? await tell(issuer, RefreshPlan.Compute(count, issuer.Policy, perSecond, responseBytes, SignerMeasure.CommonBytesOf(issuer)), responseBytes, options.Ocsp.CacheBytes).ConfigureAwait(false)
                : throw new HostStartException(failure);
        }
        finally
        {
            foreach (SigningCredential credential in options.Issuers.SelectMany(issuer => issuer.Credentials))
            {
                credential.Dispose();
            }
        }
    }

    /// <summary>The table, and a sentence that judges it.</summary>
    internal static string Describe(Issuer issuer, RefreshPlan plan, int responseBytes, long cacheBytes)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        IssuerPolicy policy = issuer.Policy;
        (string Name, string Value)[] rows =
        [
            ("certificates", plan.Certificates.ToString("N0", c)),
            ("presigned", policy.Presign.ToString()),
            ("validity", Duration(policy.Validity)),
            ("renewed after, on average", Duration(plan.Period)),
            ("octets of an answer", responseBytes.ToString("N0", c)),
            ("", ""),
            ("signatures per second: measured", plan.MeasuredPerSecond.ToString("N1", c)),
            ("  budget (RefreshSignaturesPerSecond)", policy.RefreshSignaturesPerSecond.ToString("N0", c)),
            ("  needed on average", plan.NeededPerSecond.ToString("N2", c)),
            ("  needed when all were signed at once", plan.PeakPerSecond.ToString("N2", c)),
            ("headroom", double.IsInfinity(plan.Headroom) ? "-" : plan.Headroom.ToString("N1", c) + " times"),
            ("", ""),
            ("memory for the answers", Megabytes(plan.StorageBytes)),
            ("  cache (Ocsp:CacheBytes)", Megabytes(cacheBytes)),
            ("everything signed anew", Duration(plan.FullResign)),
            ("  in an emergency, at full speed", Duration(plan.EmergencyResign)),
        ];
        int width = rows.Max(row => row.Name.Length) + 2;
        return string.Concat(
            [$"Plan for issuer '{issuer.Id}'\n\n", .. rows.Select(row => row.Name.Length == 0 ? "\n" : $"  {row.Name.PadRight(width)}{row.Value,20}\n"), "\n", .. PlanView.Judge(policy, plan, cacheBytes).Select(verdict => verdict + "\n")]);
    }

    private static async Task<long> CountAsync(ResponderOptions options, Issuer issuer)
    {
        if (!File.Exists(Path.Combine(options.DataDirectory, SqliteRevocationStore.FileName)))
        {
            throw new ConfigurationException([new("--certificates", null, $"is missing, and there is no store in '{options.DataDirectory}' to count in: say how many")]);
        }

        try
        {
            await using SqliteRevocationStore store = SqliteRevocationStore.Open(options.DataDirectory);
            StatusCounts counts = await store.CountAsync(issuer.Id, CancellationToken.None).ConfigureAwait(false);
            return counts.Good + counts.Revoked + counts.Held;
        }
        catch (RevocationStoreException e)
        {
            throw new RevocationStoreException($"{e.Message} With --certificates N the plan needs no store.", e);
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1_000_000.0).ToString("N1", CultureInfo.InvariantCulture) + " MB";

    private static string Duration(TimeSpan time) => time < TimeSpan.FromMinutes(2)
        ? time.TotalSeconds.ToString("N1", CultureInfo.InvariantCulture) + " s"
        : time < TimeSpan.FromHours(2) ? time.TotalMinutes.ToString("N1", CultureInfo.InvariantCulture) + " min"
        : time < TimeSpan.FromDays(2) ? time.TotalHours.ToString("N1", CultureInfo.InvariantCulture) + " h"
        : time.TotalDays.ToString("N1", CultureInfo.InvariantCulture) + " d";
}
