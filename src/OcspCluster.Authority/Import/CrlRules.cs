using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>Why a CRL is not taken. Closed: every refusal has a name here and a sentence in <see cref="CrlRefusalSentences"/>.</summary>
public enum CrlRefusal
{
    /// <summary>It bears another name than the issuer's certificates.</summary>
    OtherIssuer,

    /// <summary>The issuer's certificate has a keyUsage without cRLSign.</summary>
    NoCrlSign,

    /// <summary>The issuer's key did not sign it.</summary>
    SignatureWrong,

    /// <summary>The algorithm of the signature is not known here.</summary>
    AlgorithmUnsupported,

    /// <summary>The algorithm of the signature, or the key, proves nothing.</summary>
    AlgorithmTooWeak,

    /// <summary>It is of attribute certificates.</summary>
    AttributeCertificates,

    /// <summary>It does not say when the next one comes (RFC 5280 §5.1.2.5).</summary>
    NoNextUpdate,

    /// <summary>nextUpdate is not after thisUpdate.</summary>
    EndsBeforeItBegins,

    /// <summary>thisUpdate lies ahead of the clock.</summary>
    FromTheFuture,

    /// <summary>Its number, or its thisUpdate, is below that of one that was taken.</summary>
    Older,

    /// <summary>Another one of its number was taken.</summary>
    NumberReused,

    /// <summary>It has no number, and the one before it had one.</summary>
    NumberMissing,

    /// <summary>It is a delta whose base, or something between, was not taken.</summary>
    BaseMissing,
}

/// <summary>The refusals in words.</summary>
public static class CrlRefusalSentences
{
    /// <summary>One English sentence without a full stop.</summary>
    public static string ToSentence(this CrlRefusal refusal) => refusal switch
    {
        CrlRefusal.OtherIssuer => "the CRL bears another name than the issuer's certificate, compared octet by octet",
        CrlRefusal.NoCrlSign => "the issuer's certificate has a keyUsage without cRLSign, so its key may not sign CRLs (RFC 5280 section 4.2.1.3)",
        CrlRefusal.SignatureWrong => "the issuer's key did not sign the CRL",
        CrlRefusal.AlgorithmUnsupported => "the CRL is signed with an algorithm that is not known here",
        CrlRefusal.AlgorithmTooWeak => "the CRL is signed with an algorithm, or a key, that proves nothing",
        CrlRefusal.AttributeCertificates => "the CRL is of attribute certificates only",
        CrlRefusal.NoNextUpdate => "the CRL has no nextUpdate, so nobody could tell when it is stale (RFC 5280 section 5.1.2.5)",
        CrlRefusal.EndsBeforeItBegins => "the CRL's nextUpdate is not after its thisUpdate",
        CrlRefusal.FromTheFuture => "the CRL's thisUpdate lies in the future; check the clocks",
        CrlRefusal.Older => "the CRL is older than one that was taken: its number or its thisUpdate is lower",
        CrlRefusal.NumberReused => "another CRL of the same number was taken: a CA gives every CRL of a scope a number of its own (RFC 5280 section 5.2.3)",
        CrlRefusal.NumberMissing => "the CRL has no number, and the one that was taken before has one",
        CrlRefusal.BaseMissing => "the CRL is a delta, and its base was not taken: import the complete CRL first",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Not a refusal."),
    };
}

/// <summary>What is to be done with a CRL.</summary>
/// <param name="Refusal">Why it is not taken; null when it is.</param>
/// <param name="IsNews">Whether it says what was not taken yet.</param>
/// <param name="IsExpired">Whether its nextUpdate has passed: revocations are taken from it, releases are not.</param>
public readonly record struct CrlJudgement(CrlRefusal? Refusal, bool IsNews, bool IsExpired);

/// <summary>Which CRLs are taken, and in which order. Pure.</summary>
public static class CrlRules
{
    // The issuer was configured by the operator, and old CAs sign as they always did: what modern relying parties refuse is no reason to lose a revocation.
    private static readonly OcspSignatureVerifier s_verifier = new() { AcceptSha1 = true, MinimumModulusBits = 1024 };

    /// <summary>The scope of a CRL, as <see cref="CrlRecord.Scope"/> has it.</summary>
    public static string ScopeOf(CertificateList crl)
    {
        ArgumentNullException.ThrowIfNull(crl);
        return crl.IssuingDistributionPoint is { } point ? Convert.ToHexStringLower(SHA256.HashData(point.Encoded.Span))[..16] : "";
    }

    /// <summary>Whether a CA issued a CRL.</summary>
    /// <param name="crl">The CRL.</param>
    /// <param name="issuer">The CA's certificates, all of one key: one of them has to have the name and the right to sign it.</param>
    /// <returns>Null when it did.</returns>
    public static CrlRefusal? FindForgery(CertificateList crl, IReadOnlyList<X509Certificate2> issuer)
    {
        ArgumentNullException.ThrowIfNull(crl);
        ArgumentNullException.ThrowIfNull(issuer);
        CrlSignatureCheck[] checks = [.. issuer.Select(certificate => crl.CheckSignature(certificate, s_verifier))];
        if (checks.Contains(CrlSignatureCheck.Verified))
        {
            return null;
        }

        return checks.FirstOrDefault(check => check != CrlSignatureCheck.OtherIssuer, CrlSignatureCheck.OtherIssuer) switch
        {
            CrlSignatureCheck.OtherIssuer => CrlRefusal.OtherIssuer,
            CrlSignatureCheck.NoCrlSign => CrlRefusal.NoCrlSign,
            CrlSignatureCheck.AlgorithmUnsupported => CrlRefusal.AlgorithmUnsupported,
            CrlSignatureCheck.AlgorithmTooWeak => CrlRefusal.AlgorithmTooWeak,
            _ => CrlRefusal.SignatureWrong,
        };
    }

    /// <summary>Judges a CRL whose signature is verified by what was taken before it.</summary>
    /// <param name="crl">The CRL.</param>
    /// <param name="digest">The SHA-256 of its octets.</param>
    /// <param name="last">What was taken last of its scope; null when nothing was.</param>
    /// <param name="now">The time.</param>
    public static CrlJudgement Judge(CertificateList crl, Digest digest, CrlRecord? last, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(crl);
        bool isExpired = crl.NextUpdate < now;
        if (FindFault(crl, now) is { } fault)
        {
            return new CrlJudgement(fault, false, isExpired);
        }

        bool isSame = last is not null && digest == (crl.IsDelta ? last.Delta : last.Complete);
        return isSame ? new CrlJudgement(null, false, isExpired) : crl.IsDelta ? JudgeDelta(crl, last, isExpired) : JudgeComplete(crl, last, isExpired);
    }

    private static CrlRefusal? FindFault(CertificateList crl, DateTimeOffset now) => crl switch
    {
        { IssuingDistributionPoint.OnlyContainsAttributeCerts: true } => CrlRefusal.AttributeCertificates,
        { NextUpdate: null } => CrlRefusal.NoNextUpdate,
        _ when crl.NextUpdate <= crl.ThisUpdate => CrlRefusal.EndsBeforeItBegins,
        _ when crl.ThisUpdate - now > StatusRules.DefaultFutureTolerance => CrlRefusal.FromTheFuture,
        _ => null,
    };

    // A complete CRL may come after a delta of the same or a higher number, as when it was fetched late: what it says was taken with the delta.
    private static CrlJudgement JudgeComplete(CertificateList crl, CrlRecord? last, bool isExpired)
    {
        if (last is null)
        {
            return new CrlJudgement(null, true, isExpired);
        }

        if (last.Number is { } number)
        {
            if (crl.CrlNumber is null)
            {
                return new CrlJudgement(CrlRefusal.NumberMissing, false, isExpired);
            }

            if (crl.CrlNumber <= number)
            {
                return crl.CrlNumber > last.CompleteNumber
                    ? new CrlJudgement(null, false, isExpired)
                    : new CrlJudgement(crl.CrlNumber == last.CompleteNumber ? CrlRefusal.NumberReused : CrlRefusal.Older, false, isExpired);
            }
        }

        bool hasOwnTime = crl.CrlNumber is not null || crl.ThisUpdate != last.ThisUpdate; // without numbers the time is the number
        return crl.ThisUpdate < last.ThisUpdate ? new CrlJudgement(CrlRefusal.Older, false, isExpired)
            : new CrlJudgement(hasOwnTime ? null : CrlRefusal.NumberReused, hasOwnTime, isExpired);
    }

    // RFC 5280 §6.3.3 (c), §5.2.4: the base is at or below what is known, and the delta above it.
    private static CrlJudgement JudgeDelta(CertificateList crl, CrlRecord? last, bool isExpired)
    {
        if (last?.CompleteNumber is null || last.Number is not { } number || crl.BaseCrlNumber > number)
        {
            return new CrlJudgement(CrlRefusal.BaseMissing, false, isExpired);
        }

        if (crl.CrlNumber == number && last.CompleteNumber == number)
        {
            return new CrlJudgement(null, false, isExpired); // issued together with the complete one, it says the same
        }

        return crl.CrlNumber == number ? new CrlJudgement(CrlRefusal.NumberReused, false, isExpired)
            : crl.CrlNumber < number || crl.ThisUpdate < last.ThisUpdate ? new CrlJudgement(CrlRefusal.Older, false, isExpired)
            : new CrlJudgement(null, true, isExpired);
    }
}
