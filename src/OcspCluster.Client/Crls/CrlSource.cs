using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>
/// Learns statuses from CRLs: complete ones, partitioned ones (RFC 5280 §5.2.5), and each with its delta (§5.2.4). Thread-safe.
/// </summary>
/// <remarks>
/// The algorithm is RFC 5280 §6.3.3: a CRL counts for what its scope covers of the certificate, and the certificate is good when for every reason a CRL was
/// seen that does not list it. Not taken: indirect CRLs, and CRLs that another key than the issuer's signed.
/// </remarks>
internal sealed class CrlSource(OcspClientOptions options, CrlTransport transport)
{
    private const string FreshestCrlOid = "2.5.29.46";

    public async Task<Finding?> FindAsync(Subject subject, CheckRun run)
    {
        bool areGiven = options.Crls.Count > 0;
        (CrlDistributionPoint? Point, IReadOnlyList<Uri> Uris)[] places = areGiven
            ? [.. options.Crls.Select(uri => ((CrlDistributionPoint?)null, (IReadOnlyList<Uri>)[uri]))]
            : [.. subject.Addresses.CrlDistributionPoints.Where(point => !point.HasOtherIssuer).Select(point => ((CrlDistributionPoint?)point, point.Uris))];
        if (places.All(place => place.Uris.Count == 0))
        {
            run.Fail(RevocationSource.Crl, RevocationFailure.NoSource, "The certificate names no CRL of its issuer that can be fetched.");
            return null;
        }

        int uncovered = CrlScope.AllReasons;
        Finding? good = null;
        foreach ((CrlDistributionPoint? point, IReadOnlyList<Uri> uris) in places.Take(options.Limits.MaxUris))
        {
            (Finding? finding, int covered) = await AskAsync(subject, point, uris, areGiven, run).ConfigureAwait(false);
            if (finding is { Status: RevocationStatus.Revoked })
            {
                return finding;
            }

            good ??= finding;
            uncovered &= ~covered;
            if (uncovered == 0)
            {
                return good;
            }
        }

        if (good is not null)
        {
            run.Fail(RevocationSource.Crl, RevocationFailure.AnswerRefused, "The CRLs that were read do not cover all reasons for a revocation: that the certificate is in none of them is not enough.");
        }

        return null;
    }

    // The addresses of one point are of one CRL: the first that gives a usable one ends the search.
    private async Task<(Finding? Finding, int Covered)> AskAsync(Subject subject, CrlDistributionPoint? point, IReadOnlyList<Uri> uris, bool isGiven, CheckRun run)
    {
        foreach (Uri uri in uris.Take(options.Limits.MaxUris))
        {
            LoadedCrl? complete = await transport.LoadAsync(uri, isGiven, subject.Issuer, isDelta: false, run).ConfigureAwait(false);
            if (complete is null)
            {
                continue;
            }

            (int covered, string? obstacle) = CrlScope.Of(complete.List, point, subject);
            if (obstacle is not null)
            {
                run.Fail(RevocationSource.Crl, RevocationFailure.AnswerRefused, obstacle, uri);
                continue;
            }

            LoadedCrl? delta = await FindDeltaAsync(subject, complete, run).ConfigureAwait(false);
            return (Judge(subject, complete, delta), covered);
        }

        return (null, 0);
    }

    private async Task<LoadedCrl?> FindDeltaAsync(Subject subject, LoadedCrl complete, CheckRun run)
    {
        IEnumerable<CrlDistributionPoint> freshest = complete.List.Extensions.Find(FreshestCrlOid) is OcspExtension extension
            ? CrlDistributionPoint.ReadList(extension.Value.ToArray())
            : subject.Addresses.FreshestCrls;
        foreach (Uri uri in freshest.SelectMany(point => point.Uris).Take(options.Limits.MaxUris))
        {
            if (await transport.LoadAsync(uri, isGiven: false, subject.Issuer, isDelta: true, run).ConfigureAwait(false) is not LoadedCrl delta)
            {
                continue;
            }

            if (CrlScope.FindMismatch(complete.List, delta.List) is not string mismatch)
            {
                return delta;
            }

            run.Fail(RevocationSource.Crl, RevocationFailure.AnswerRefused, mismatch, uri);
        }

        return null; // the complete CRL is current by itself (RFC 5280 §6.3.3 (c): deltas are the relying party's choice)
    }

    private static Finding Judge(Subject subject, LoadedCrl complete, LoadedCrl? delta)
    {
        RevokedCertificate? change = delta is null ? null : Find(delta.List, subject.SerialNumber);
        RevokedCertificate? entry = change switch
        {
            { Reason: RevocationReason.RemoveFromCrl } => null,
            not null => change,
            _ => Find(complete.List, subject.SerialNumber),
        };
        LoadedCrl latest = delta ?? complete;
        string number = latest.List.CrlNumber is { } value ? $" (number {value})" : "";
        RevocationEvidence evidence = new()
        {
            Source = RevocationSource.Crl,
            Uri = complete.Uri,
            FromStore = complete.FromStore,
            Answer = complete.List.Encoded,
            DeltaCrl = delta?.List.Encoded ?? default,
            Signer = subject.Issuer,
            Authorization = ResponderAuthorization.Issuer,
            ThisUpdate = latest.List.ThisUpdate,
            NextUpdate = latest.List.NextUpdate,
            CrlNumber = latest.List.CrlNumber,
        };
        return entry is RevokedCertificate revoked
            ? new Finding(RevocationStatus.Revoked, evidence, $"The CRL of '{subject.Issuer.Subject}'{number} lists it as revoked since {revoked.RevocationDate:u}{(revoked.Reason is { } reason ? $" ({reason})" : "")}.", revoked.RevocationDate, revoked.Reason)
            : new Finding(RevocationStatus.Good, evidence, $"The CRL of '{subject.Issuer.Subject}'{number} does not list it.");
    }

    // Of several entries for one serial number the strictest counts: a removal only if nothing else stands there.
    private static RevokedCertificate? Find(CertificateList list, SerialNumber serialNumber)
    {
        RevokedCertificate? removal = null;
        foreach (RevokedCertificate entry in list.RevokedCertificates)
        {
            if (entry.SerialNumber != serialNumber)
            {
                continue;
            }

            if (entry.Reason != RevocationReason.RemoveFromCrl)
            {
                return entry;
            }

            removal = entry;
        }

        return removal;
    }
}

/// <summary>What a CRL says about, by its issuingDistributionPoint and the certificate's distribution point (RFC 5280 §6.3.3 (b) to (e)). Pure.</summary>
internal static class CrlScope
{
    /// <summary>Bits 1 to 8 of ReasonFlags: every reason that there is a flag for.</summary>
    public const int AllReasons = 0x1FE;

    /// <summary>The reasons for which the CRL would list the certificate, or a sentence on why it says nothing about it.</summary>
    public static (int Reasons, string? Obstacle) Of(CertificateList list, CrlDistributionPoint? point, Subject subject)
    {
        int reasons = point?.Reasons ?? AllReasons;
        if (list.IssuingDistributionPoint is not IssuingDistributionPoint scope)
        {
            return (reasons, null);
        }

        bool isCa = subject.Certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is { CertificateAuthority: true };
        if (scope.OnlyContainsAttributeCerts || (scope.OnlyContainsUserCerts && isCa) || (scope.OnlyContainsCaCerts && !isCa))
        {
            return (0, $"The CRL is about {(scope.OnlyContainsAttributeCerts ? "attribute certificates" : isCa ? "end entities" : "CAs")} only.");
        }

        if (HasName(scope) && !SharesName(scope, point is null ? subject.Addresses.CrlDistributionPoints : [point]))
        {
            return (0, "The CRL is of another distribution point than the certificate's: a partition that says nothing about it.");
        }

        return (scope.OnlySomeReasons is { } some ? reasons & some.Aggregate(0, static (flags, reason) => flags | FlagOf(reason)) : reasons, null);
    }

    /// <summary>Why a delta CRL does not continue a complete one; null when it does (RFC 5280 §5.2.4).</summary>
    public static string? FindMismatch(CertificateList complete, CertificateList delta)
    {
        if (complete.CrlNumber is not { } number || delta.CrlNumber is not { } deltaNumber || delta.BaseCrlNumber is not { } baseNumber)
        {
            return "A CRL without a number has no delta.";
        }

        if (baseNumber > number || deltaNumber < number)
        {
            return $"The delta CRL {deltaNumber} continues {baseNumber}; the complete one is {number}.";
        }

        bool isSameScope = ScopeOf(complete).Span.SequenceEqual(ScopeOf(delta).Span) && complete.AuthorityKeyIdentifier.Span.SequenceEqual(delta.AuthorityKeyIdentifier.Span);
        return isSameScope ? null : "The delta CRL has another scope, or another key, than the complete one.";
    }

    private static ReadOnlyMemory<byte> ScopeOf(CertificateList list) => list.IssuingDistributionPoint?.Encoded ?? default;

    // A name relative to the issuer's is a name too, though one that is never read: such a partition matches nothing.
    private static bool HasName(IssuingDistributionPoint scope) =>
        new AsnReader(scope.Encoded, AsnEncodingRules.DER).ReadSequence().PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0));

    private static bool SharesName(IssuingDistributionPoint scope, IEnumerable<CrlDistributionPoint> points) =>
        points.SelectMany(point => point.Names).Any(name => scope.DistributionPoint.Any(other => other.Encoded.Span.SequenceEqual(name.Encoded.Span)));

    // ReasonFlags and CRLReason number two of the reasons differently (RFC 5280 §4.2.1.13, §5.3.1).
    private static int FlagOf(RevocationReason reason) => reason switch
    {
        RevocationReason.PrivilegeWithdrawn => 1 << 7,
        RevocationReason.AaCompromise => 1 << 8,
        _ => 1 << (int)reason,
    };
}
