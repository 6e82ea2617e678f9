using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Judges what an authorised responder said: extensions, nonce and times (RFC 6960 §3.2 (5) and (6), §4.2.2.1; RFC 9654 §2.1; RFC 9919 §5).</summary>
internal sealed class AnswerRules(ResponseData data, X509Certificate2 issuer, OcspVerificationOptions options)
{
    // The extensions that RFC 6960 §4.4 and RFC 5280 §5.3 define for the place; of these, certificateIssuer is the one that changes a meaning.
    private static readonly string[] s_responseExtensions = [Oids.OcspNonce, Oids.OcspExtendedRevoke];
    private static readonly string[] s_singleExtensions = [Oids.OcspCrl, Oids.OcspArchiveCutoff, Oids.CrlReason, Oids.InvalidityDate];

    private readonly DateTimeOffset _now = options.Clock.GetUtcNow();

    /// <summary>Judges what holds for the whole response; null when nothing is wrong.</summary>
    public BrokenRule? JudgeResponse() => FindUnknownExtension() ?? JudgeNonce() ?? JudgeProducedAt();

    /// <summary>Judges the times of one answer; null when it is current.</summary>
    /// <remarks>Differences are compared, never sums: no time from the wire and no setting makes one overflow.</remarks>
    public BrokenRule? JudgeTimes(SingleResponse answer)
    {
        TimeSpan age = _now - answer.ThisUpdate;
        if (age < -options.Tolerance)
        {
            return new(OcspVerificationOutcome.ThisUpdateInFuture, $"thisUpdate is {answer.ThisUpdate:u}; now it is {_now:u}.");
        }

        if (answer.NextUpdate < answer.ThisUpdate)
        {
            return new(OcspVerificationOutcome.NextUpdateBeforeThisUpdate, $"nextUpdate, {answer.NextUpdate:u}, is before thisUpdate, {answer.ThisUpdate:u}.");
        }

        if (_now - answer.NextUpdate > options.Tolerance)
        {
            return new(OcspVerificationOutcome.NextUpdatePassed, $"nextUpdate was {answer.NextUpdate:u}; now it is {_now:u}.");
        }

        if (answer.NextUpdate is null && options.RequireNextUpdate)
        {
            return new(OcspVerificationOutcome.NextUpdateMissing, "There is no nextUpdate, which is required (RFC 9919 §5).");
        }

        if (answer.NextUpdate is null && IsOlder(age, options.MaximumAgeWithoutNextUpdate))
        {
            return new(OcspVerificationOutcome.TooOldWithoutNextUpdate, $"There is no nextUpdate, and thisUpdate, {answer.ThisUpdate:u}, is more than {options.MaximumAgeWithoutNextUpdate} ago.");
        }

        return options.MaximumAge is TimeSpan maximum && IsOlder(age, maximum)
            ? new(OcspVerificationOutcome.TooOld, $"thisUpdate, {answer.ThisUpdate:u}, is more than {maximum} ago.")
            : null;
    }

    private bool IsOlder(TimeSpan age, TimeSpan maximum) => age > options.Tolerance && age - options.Tolerance > maximum;

    /// <summary>Judges the extensions of one answer; null when every critical one is understood.</summary>
    public BrokenRule? JudgeExtensions(SingleResponse answer)
    {
        foreach (OcspExtension extension in answer.Extensions)
        {
            if (extension.IsCritical && !Understands(extension.Oid, s_singleExtensions) && !NamesIssuer(extension, answer.Extensions))
            {
                return new(OcspVerificationOutcome.UnknownCriticalSingleExtension, $"The answer has the critical extension {extension.Oid}, which is not understood.");
            }
        }

        return null;
    }

    private BrokenRule? FindUnknownExtension()
    {
        foreach (OcspExtension extension in data.Extensions)
        {
            if (extension.IsCritical && !Understands(extension.Oid, s_responseExtensions))
            {
                return new(OcspVerificationOutcome.UnknownCriticalExtension, $"The response has the critical extension {extension.Oid}, which is not understood.");
            }
        }

        return null;
    }

    private bool Understands(string oid, string[] defined) => defined.Contains(oid) || options.UnderstoodExtensions.Contains(oid);

    // certificateIssuer, critical by definition, says whose certificate the status is about (RFC 5280 §5.3.3): fine when it says the issuer's.
    private bool NamesIssuer(OcspExtension extension, OcspExtensionCollection extensions)
    {
        if (extension.Oid != Oids.CertificateIssuer)
        {
            return false;
        }

        try
        {
            return ResponseExtensions.ReadCertificateIssuer(extensions)!.Any(name =>
                name.DirectoryName is X500DistinguishedName directoryName && directoryName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData));
        }
        catch (OcspFormatException)
        {
            return false;
        }
    }

    private BrokenRule? JudgeNonce()
    {
        if (options.Nonce is not OcspNonce sent)
        {
            return null;
        }

        if (data.Nonce is not OcspNonce received)
        {
            return options.RequireNonce ? new(OcspVerificationOutcome.NonceMissing, "The response lacks the nonce of the request.") : null;
        }

        return sent.Equals(received) ? null : new(OcspVerificationOutcome.NonceMismatch, "The response has another nonce than the request: it answers another one, or is replayed.");
    }

    private BrokenRule? JudgeProducedAt() => _now - data.ProducedAt < -options.Tolerance
        ? new(OcspVerificationOutcome.ProducedAtInFuture, $"producedAt is {data.ProducedAt:u}; now it is {_now:u}.")
        : null;
}
