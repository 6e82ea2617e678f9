using System.Globalization;
using System.Numerics;
using Microsoft.AspNetCore.Http;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>The read side: issuers, their certificates, and all that is known of one.</summary>
internal sealed class ReadEndpoints(IssuerDirectory directory, IRevocationStore store, ResponseCache cache, RevocationSources sources, TimeProvider clock)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;
    private const int MaxHistory = 1000;
    private const string NotASerial = "is not a serial number: hexadecimal as 04D2, 04:d2 or 0x4d2, or decimal as decimal:1234";

    public IResult GetIssuers(HttpContext context)
    {
        ApiCaller caller = AdminAccess.CallerOf(context);
        return Results.Json(new IssuerListView([.. directory.Issuers
            .Where(issuer => caller.May(ApiAction.Read, issuer.Id))
            .OrderBy(issuer => issuer.Id.ToString(), StringComparer.Ordinal)
            .Select(issuer => new IssuerNameView(issuer.Id.ToString(), issuer.Certificates[0].Subject))]));
    }

    public async Task<IResult> GetIssuerAsync(HttpContext context, string issuer)
    {
        if (Find(issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        long position = await store.GetPositionAsync(found.Id, context.RequestAborted).ConfigureAwait(false);
        StatusCounts counts = await store.CountAsync(found.Id, context.RequestAborted).ConfigureAwait(false);
        DateTimeOffset now = clock.GetUtcNow();
        return Results.Json(new IssuerView(
            issuer,
            position,
            new StatusCountsView(counts.Good, counts.Revoked, counts.Held),
            [.. found.Certificates.Select(CaCertificateView.Of)],
            [.. found.Credentials.Select(credential => CredentialView.Of(found, credential, now))],
            PolicyView.Of(found.Policy),
            [.. sources.Of(found.Id).Select(SourceView.Of)]));
    }

    public async Task<IResult> GetCertificatesAsync(HttpContext context, string issuer, string? status, string? after, string? limit, string? serial)
    {
        if (Find(issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (!string.IsNullOrEmpty(serial))
        {
            return await SearchAsync(context, found.Id, serial).ConfigureAwait(false);
        }

        CertificateState? state = null;
        if (!string.IsNullOrEmpty(status))
        {
            foreach (CertificateState one in Enum.GetValues<CertificateState>())
            {
                state = status == CertificateStatusView.NameOf(one) ? one : state;
            }

            if (state is null)
            {
                return AdminProblems.BadParameter("status", "is none of good, revoked, held");
            }
        }

        SerialNumber behind = default;
        if (!string.IsNullOrEmpty(after) && !SerialText.TryParse(after, out behind))
        {
            return AdminProblems.BadParameter("after", "is not a serial number");
        }

        int count = DefaultLimit;
        if (!string.IsNullOrEmpty(limit) && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > MaxLimit))
        {
            return AdminProblems.BadParameter("limit", $"is not a number from 1 to {MaxLimit}");
        }

        IReadOnlyList<RecordedCertificate> page = await store.ListAsync(found.Id, state, behind, count + 1, context.RequestAborted).ConfigureAwait(false);
        return Results.Json(new CertificateListView(
            [.. page.Take(count).Select(certificate => CertificateStatusView.Of(certificate.Serial, certificate.Status))],
            page.Count > count ? page[count - 1].Serial.ToString() : null));
    }

    public async Task<IResult> GetCertificateAsync(HttpContext context, string issuer, string serial)
    {
        if (Find(issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (!SerialText.TryParse(serial, out SerialNumber number))
        {
            return AdminProblems.BadParameter("serial", NotASerial);
        }

        // One snapshot of the store, not two: the newest entry of the history is the one that made the status.
        IReadOnlyList<JournalEntry> history = await store.FindHistoryAsync(found.Id, number, MaxHistory, context.RequestAborted).ConfigureAwait(false);
        if (history.Count == 0)
        {
            return AdminProblems.Create(StatusCodes.Status404NotFound, "No such certificate", $"Issuer '{issuer}' has told nothing of a certificate with serial number {number}.");
        }

        return Results.Json(new CertificateView(
            number.ToString(),
            new BigInteger(number.Content, isBigEndian: true).ToString(CultureInfo.InvariantCulture),
            CertificateStatusView.Of(number, history[0].Status),
            [.. history.Select(HistoryView.Of)],
            [.. cache.Find(found.Id, number).Select(CachedResponseView.Of)]));
    }

    // Nothing found is an answer to a search, not an error.
    private async Task<IResult> SearchAsync(HttpContext context, IssuerId issuer, string serial)
    {
        if (!SerialText.TryParse(serial, out SerialNumber number))
        {
            return AdminProblems.BadParameter("serial", NotASerial);
        }

        CertificateStatus? status = await store.FindStatusAsync(issuer, number, context.RequestAborted).ConfigureAwait(false);
        return Results.Json(new CertificateListView(status is null ? [] : [CertificateStatusView.Of(number, status)], null));
    }

    private Issuer? Find(string id) => directory.Issuers.FirstOrDefault(issuer => issuer.Id.ToString() == id);
}
