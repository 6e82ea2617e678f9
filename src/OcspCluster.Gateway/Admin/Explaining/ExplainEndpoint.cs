using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary><c>GET …/certificates/{serial}/explain</c>: what a relying party would hear of a certificate from this node now, and why.</summary>
internal sealed class ExplainEndpoint(IssuerDirectory directory, IRevocationStore store, OcspResponder responder, IClusterOverview cluster, IServiceProvider services)
{
    // Only a cluster's host has them.
    private readonly ICachesElsewhere? _elsewhere = services.GetService<ICachesElsewhere>();

    public async Task<IResult> GetAsync(HttpContext context, string issuer, string serial, string? hash, string? nonce)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (!SerialText.TryParse(serial, out SerialNumber number))
        {
            return AdminProblems.BadParameter("serial", "is not a serial number: hexadecimal as 04D2, 04:d2 or 0x4d2, or decimal as decimal:1234");
        }

        CertIdHash? named = string.IsNullOrEmpty(hash) ? CertIdHash.Sha1 : directory.Hashes.FirstOrDefault(one => NameOf(one) == hash);
        if (named is null)
        {
            return AdminProblems.BadParameter("hash", $"is none of {string.Join(", ", directory.Hashes.Select(NameOf))}");
        }

        if (nonce is not (null or "" or "true" or "false"))
        {
            return AdminProblems.BadParameter("nonce", "is neither true nor false");
        }

        CancellationToken cancellationToken = context.RequestAborted;
        Task<ClusterView> nodes = cluster.DescribeAsync(cancellationToken);
        Task<IReadOnlyList<CacheElsewhere>>? others = _elsewhere?.FindAsync(found.Id, number, cancellationToken);
        Explanation explanation = await responder.ExplainAsync(
            new NamedIssuer(found, found.Certificates[0]), CertId.Create(found.Certificates[0], number, named), nonce == "true", cancellationToken).ConfigureAwait(false);
        NodeView self = (await nodes.ConfigureAwait(false)).Nodes.First(node => node.IsSelf);
        LeaseView? lease = self.Leases.FirstOrDefault(one => one.Issuer == issuer);
        return Results.Json(new ExplanationView(
            number.ToString(),
            issuer,
            NameOf(named),
            explanation.Answer,
            explanation.Because,
            await FindEventAsync(found.Id, number, explanation.Status, cancellationToken).ConfigureAwait(false),
            explanation.Signer is { } signer ? SignerView.Of(signer) : null,
            ExplanationView.NameOf(explanation.Source),
            explanation.Cached is { } cached ? CachedAnswerView.Of(cached) : null,
            self.Name,
            lease is null ? null : new HeldLeaseView(lease.SecondsLeft > 0, lease.SecondsLeft),
            others is null ? null : await others.ConfigureAwait(false)));
    }

    // The event that made the status that counts. Of what the store cannot tell now the answer is explained all the same.
    private async Task<HistoryView?> FindEventAsync(IssuerId issuer, SerialNumber serial, CertificateStatus? status, CancellationToken cancellationToken)
    {
        if (status is not { Position: > 0 })
        {
            return null;
        }

        try
        {
            JournalEntry? entry = (await store.FindHistoryAsync(issuer, serial, 1000, cancellationToken).ConfigureAwait(false)).FirstOrDefault(one => one.Position == status.Position);
            return entry is null ? null : HistoryView.Of(entry);
        }
        catch (RevocationStoreException)
        {
            return null;
        }
    }

    private static string NameOf(CertIdHash hash) => hash.Name.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
