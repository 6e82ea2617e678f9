using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OcspCluster.Gateway;
using OcspCluster.Standalone.Plan;

namespace OcspCluster.Cli;

/// <summary>The verb <c>plan</c>: whether an issuer's key and budget keep so many answers fresh, measured with that key where it is.</summary>
internal sealed class PlanCommand : AdminCommand
{
    private readonly Option<long?> _certificates = new("--certificates") { Description = "How many certificates to plan for (default: those that are recorded)", HelpName = "N" };

    public PlanCommand(Screen screen)
        : base(screen, "plan", "Measure an issuer's key, and tell whether it keeps the answers for so many certificates fresh")
    {
        Take([AdminSettings.Issuer, _certificates, AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        long? certificates = parsed.GetValue(_certificates);
        PlanView? plan = null;
        if (parsed.GetValue(AdminSettings.Data) is not null || parsed.GetValue(AdminSettings.Config) is not null)
        {
            await LocalData.GuardAsync(() => PlanRun.MeasureAsync(LocalData.ReadSettings(parsed), parsed.GetValue(AdminSettings.Issuer), certificates, (issuer, made, responseBytes, cacheBytes) =>
            {
                plan = PlanView.Of(issuer, made, responseBytes, cacheBytes);
                return Task.FromResult(ExitCode.Good);
            })).ConfigureAwait(false);
        }
        else
        {
            using AdminApi api = AdminSettings.Open(parsed);
            string issuer = await api.FindIssuerAsync(parsed.GetValue(AdminSettings.Issuer), cancellationToken).ConfigureAwait(false);
            string query = certificates is long count ? string.Create(CultureInfo.InvariantCulture, $"?certificates={count}") : "";
            plan = (await api.SendAsync(HttpMethod.Post, $"/v1/issuers/{issuer}/plan{query}", body: null, cancellationToken).ConfigureAwait(false)).Deserialize<PlanView>(AdminApi.Json);
        }

        if (IsJson(parsed))
        {
            Screen.Output.WriteLine(JsonSerializer.Serialize(plan, CheckJson.Options));
        }
        else
        {
            Print(plan!);
        }

        return plan!.IsSufficient ? ExitCode.Good : ExitCode.NotDone;
    }

    private void Print(PlanView plan)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        Screen.Line(($"Issuer '{plan.Issuer}'", Styles.Strong), (string.Create(c, $" with {plan.Certificates:N0} certificates: "), default),
            (plan.IsSufficient ? "it suffices" : "it does not suffice", plan.IsSufficient ? Styles.OfWord("ok") : Styles.OfWord("critical")));
        (string Name, string Value)[] rows =
        [
            ("presigned", plan.Presign),
            ("validity", Length(plan.Validity)),
            ("renewed after, on average", Length(plan.Period)),
            ("signatures per second, measured", plan.MeasuredPerSecond.ToString("N1", c)),
            ("  budget (RefreshSignaturesPerSecond)", plan.BudgetPerSecond.ToString("N0", c)),
            ("  needed on average", plan.NeededPerSecond.ToString("N2", c)),
            ("  needed when all were signed at once", plan.PeakPerSecond.ToString("N2", c)),
            ("headroom", plan.Headroom switch { null => "-", > 1000 => "over 1,000 times", double times => times.ToString("N1", c) + " times" }),
            ("octets of an answer", plan.ResponseBytes.ToString("N0", c)),
            ("memory for the answers", Megabytes(plan.StorageBytes)),
            ("  cache (Ocsp:CacheBytes)", Megabytes(plan.CacheBytes)),
            ("everything signed anew", Length(plan.FullResign)),
            ("  in an emergency, at full speed", Length(plan.EmergencyResign)),
        ];
        int width = rows.Max(row => row.Name.Length) + 2;
        foreach ((string name, string value) in rows)
        {
            Screen.Line(("  " + name.PadRight(width), Styles.Faint), ($"{value,16}", default));
        }

        foreach (string verdict in plan.Verdicts)
        {
            Screen.Line(verdict);
        }

        static string Megabytes(long bytes) => (bytes / 1_000_000.0).ToString("N1", CultureInfo.InvariantCulture) + " MB";
    }

    private static string Length(double seconds) => seconds < 120
        ? seconds.ToString("N1", CultureInfo.InvariantCulture) + " s"
        : seconds < 7200 ? (seconds / 60).ToString("N1", CultureInfo.InvariantCulture) + " min"
        : seconds < 172_800 ? (seconds / 3600).ToString("N1", CultureInfo.InvariantCulture) + " h"
        : (seconds / 86_400).ToString("N1", CultureInfo.InvariantCulture) + " d";
}
