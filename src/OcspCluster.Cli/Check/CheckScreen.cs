using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;
using OcspCluster.Protocol;
using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>Prints reports for people.</summary>
internal static class CheckScreen
{
    /// <summary>One report, in full.</summary>
    public static void Print(Screen screen, CheckReport report)
    {
        screen.Line((report.Target, Styles.Strong), (": ", Style.Plain), (Styles.WordOf(report.Status), Styles.Of(report.Status)), (Summary(report), Style.Plain));
        if (report.Failure is not null)
        {
            screen.Field("because", report.Failure);
        }

        for (int i = 0; i < report.Verdicts.Count; i++)
        {
            if (report.Verdicts.Count > 1)
            {
                screen.Line((string.Create(CultureInfo.InvariantCulture, $"  {i + 1} of {report.Verdicts.Count}: "), Styles.Faint),
                    (Styles.WordOf(report.Verdicts[i].Status), Styles.Of(report.Verdicts[i].Status)));
            }

            Print(screen, report, report.Verdicts[i], i == 0 ? report.Server : null);
        }

        foreach (string note in report.Notes)
        {
            screen.Field("note", note, Styles.Warning);
        }

        foreach (string advice in report.Advice)
        {
            screen.Field("try", advice);
        }
    }

    /// <summary>A line for each report: a table on a terminal, else fields between tabs (status, target, why or what).</summary>
    public static void PrintTable(Screen screen, IReadOnlyList<CheckReport> reports)
    {
        if (!screen.IsTerminal)
        {
            foreach (CheckReport report in reports)
            {
                screen.Output.WriteLine(string.Join('\t', Styles.WordOf(report.Status), Printable.Of(report.Target), Printable.Of(Remark(report))));
            }

            return;
        }

        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("status") { NoWrap = true });
        table.AddColumn(new TableColumn("host"));
        table.AddColumn(new TableColumn("remark"));
        foreach (CheckReport report in reports)
        {
            table.AddRow(new Text(Styles.WordOf(report.Status), Styles.Of(report.Status)), new Text(Printable.Of(report.Target)), new Text(Printable.Of(Remark(report))));
        }

        screen.Console.Write(table);
        screen.Line(string.Join(", ", reports.GroupBy(report => report.Status).OrderBy(group => group.Key == RevocationStatus.Good ? 0 : 1)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {Styles.WordOf(group.Key)}"))));
    }

    private static string Summary(CheckReport report) => report.Decisive is { Status: RevocationStatus.Revoked } revoked
        ? $" since {TimeText.Of(revoked.RevocationTime!.Value)}, {ReasonOf(revoked)}"
        : "";

    private static string ReasonOf(RevocationVerdict verdict) => verdict.RevocationReason is RevocationReason reason
        ? Enum.IsDefined(reason) ? reason.ToName() : string.Create(CultureInfo.InvariantCulture, $"reason {(int)reason}")
        : "no reason given";

    private static string Remark(CheckReport report) => report switch
    {
        { Failure: string failure } => failure,
        { Decisive: { Status: RevocationStatus.Revoked } revoked } => $"since {TimeText.Of(revoked.RevocationTime!.Value)}, {ReasonOf(revoked)}",
        { Decisive: { Evidence.NextUpdate: DateTimeOffset nextUpdate, Status: RevocationStatus.Good } } => $"until {TimeText.Of(nextUpdate)}" + string.Concat(report.Notes.Take(1).Select(note => "; " + note)),
        { Decisive: RevocationVerdict verdict } => verdict.Message,
        _ => "",
    };

    private static void Print(Screen screen, CheckReport report, RevocationVerdict verdict, ServerCertificates? server)
    {
        X509Certificate2 certificate = verdict.Certificate;
        screen.Field("certificate", certificate.Subject.Length > 0 ? certificate.Subject : "(no subject)");
        screen.Field("serial", SerialNumber.FromCertificate(certificate).ToString());
        screen.Field("valid", $"{TimeText.Of(certificate.NotBefore.ToUniversalTime())} to {TimeText.Of(certificate.NotAfter.ToUniversalTime())}");
        screen.Field("issuer", certificate.Issuer + (verdict.Issuer is null ? " (certificate not found)" : report.Server is null ? "" : report.Server.Others.Contains(verdict.Issuer) ? " (in the handshake)" : " (fetched)"));
        if (server is not null)
        {
            screen.Field("stapled", Findings.StapleOf(server));
        }

        if (verdict.Evidence is RevocationEvidence evidence)
        {
            PrintEvidence(screen, report, verdict, evidence);
        }
        else
        {
            screen.Field("because", verdict.Message);
        }

        PrintAttempts(screen, verdict);
    }

    private static void PrintEvidence(Screen screen, CheckReport report, RevocationVerdict verdict, RevocationEvidence evidence)
    {
        RevocationAttempt? attempt = verdict.Attempts.LastOrDefault(attempt => attempt.Failure == RevocationFailure.None && attempt.Source == evidence.Source);
        string how = attempt?.Method is null ? "" : string.Create(CultureInfo.InvariantCulture, $" ({attempt.Method}, {attempt.Elapsed.TotalMilliseconds:0} ms)");
        switch (evidence.Source)
        {
            case RevocationSource.Ocsp:
                screen.Field("responder", evidence.Uri + how);
                break;
            case RevocationSource.Crl:
                screen.Field("CRL", $"{evidence.Uri}{(evidence.CrlNumber is null ? "" : $", number {evidence.CrlNumber}")}");
                break;
            default:
                screen.Field("answer", "the stapled response");
                break;
        }

        screen.Field("signed by", evidence.Authorization switch
        {
            ResponderAuthorization.Issuer => "the issuer itself",
            ResponderAuthorization.Delegated => $"{evidence.Signer.Subject}, delegated by the issuer",
            _ => $"{evidence.Signer.Subject}, trusted by configuration",
        });
        if (evidence.ProducedAt is DateTimeOffset producedAt)
        {
            screen.Field("produced at", TimeText.Relative(producedAt, report.Now));
        }

        screen.Field("this update", TimeText.Relative(evidence.ThisUpdate, report.Now));
        screen.Field("next update", evidence.NextUpdate is DateTimeOffset nextUpdate ? TimeText.Relative(nextUpdate, report.Now) : "not told");
        if (verdict.Status == RevocationStatus.Revoked)
        {
            screen.Field("revoked", $"{TimeText.Relative(verdict.RevocationTime!.Value, report.Now)}, {ReasonOf(verdict)}", Styles.Of(RevocationStatus.Revoked));
        }
    }

    // What was tried in vain explains why the status comes from where it does, or why there is none.
    private static void PrintAttempts(Screen screen, RevocationVerdict verdict)
    {
        foreach (RevocationAttempt attempt in verdict.Attempts.Where(attempt => attempt.Failure is not (RevocationFailure.None or RevocationFailure.NoSource) && attempt.ToString() != verdict.Message))
        {
            screen.Field("tried", attempt.ToString());
        }
    }
}
