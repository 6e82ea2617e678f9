using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>One certificate as it was asked about, and what is to be said of it.</summary>
/// <param name="CertId">The CertID of the request, which the answer repeats byte for byte.</param>
/// <param name="Answer">What is to be said.</param>
public readonly record struct AnsweredCertId(CertId CertId, CertificateAnswer Answer);

/// <summary>No credential of an issuer can sign now. The message says why.</summary>
public sealed class SignerUnavailableException : Exception
{
    /// <summary>With the reason.</summary>
    public SignerUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>With the reason and its cause.</summary>
    public SignerUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a reason.</summary>
    public SignerUnavailableException()
    {
    }
}

/// <summary>Turns what is to be said into signed answers. Thread-safe.</summary>
public sealed class ResponseFactory(TimeProvider clock)
{
    /// <summary>Signs an answer.</summary>
    /// <param name="issuer">Whose certificates are answered for, and the name by which it was asked.</param>
    /// <param name="answers">What is to be said, at least of one, in the order asked.</param>
    /// <param name="nonce">The nonce to echo, or null.</param>
    /// <exception cref="SignerUnavailableException">No credential is within its validity, or the key could not be used, or what it signed is not right.</exception>
    public SignedResponse Create(NamedIssuer issuer, IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce)
    {
        ArgumentNullException.ThrowIfNull(answers);
        DateTimeOffset now = WholeSecond(clock.GetUtcNow());
        IssuerPolicy policy = issuer.Issuer.Policy;
        SigningCredential credential = issuer.Issuer.FindCredential(issuer.Certificate, now)
            ?? throw new SignerUnavailableException($"No responder certificate of issuer '{issuer.Issuer.Id}' is valid at {now:u}: renew it.");

        // thisUpdate: known right since then, so not before the newest status was recorded (RFC 6960 §2.4), and never ahead of now.
        DateTimeOffset thisUpdate = now - policy.Backdate;
        foreach (AnsweredCertId answered in answers)
        {
            if (answered.Answer.RecordedAt is DateTimeOffset recordedAt && recordedAt > thisUpdate)
            {
                thisUpdate = recordedAt < now ? WholeSecond(recordedAt) : now;
            }
        }

        // The interval includes both ends (BR 4.9.9), and ends before the certificates that vouch for it do.
        DateTimeOffset nextUpdate = Earliest(thisUpdate + policy.Validity - TimeSpan.FromSeconds(1), credential.NotAfter, issuer.Certificate.NotAfter.ToUniversalTime());
        if (nextUpdate <= now)
        {
            throw new SignerUnavailableException($"Issuer '{issuer.Issuer.Id}' or its responder certificate has ended: an answer could not be valid for a second.");
        }

        DateTimeOffset changesAt = answers.Min(answered => answered.Answer.ChangesAt) is DateTimeOffset change ? change + TimeSpan.FromSeconds(1) : nextUpdate;
        DateTimeOffset refreshAt = Earliest(thisUpdate + (policy.Validity * policy.RefreshAt), nextUpdate, changesAt);
        ResponseData data = new(
            policy.ResponderId == ResponderIdForm.ByKey ? credential.ByKey : credential.ByName,
            now,
            [.. answers.Select(answered => ToSingleResponse(answered, now, thisUpdate, nextUpdate))],
            ToResponseExtensions(answers, nonce));
        ReadOnlyMemory<byte>[] certificates = issuer.Issuer.IsOwnKey(credential) ? [] : [credential.Certificate.RawDataMemory];

        OcspResponse response;
        try
        {
            response = OcspResponse.FromBasic(BasicOcspResponse.Sign(data, credential.Signer, certificates));
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new SignerUnavailableException($"The key of issuer '{issuer.Issuer.Id}' could not sign: {e.Message}", e);
        }

        if (ResponseRules.FindError(response.Encoded, data, credential, now) is string error)
        {
            throw new SignerUnavailableException($"What the signer of issuer '{issuer.Issuer.Id}' made is not served: {error}.");
        }

        bool forOneRequest = nonce is not null || answers.Any(answered => answered.Answer.Status is CertStatus.UnknownStatus || answered.Answer.IsExtendedRevoke);
        return new SignedResponse(response.Encoded, now, thisUpdate, nextUpdate, refreshAt, forOneRequest ? TimeSpan.Zero : policy.MaxAge);
    }

    private static SingleResponse ToSingleResponse(AnsweredCertId answered, DateTimeOffset now, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate)
    {
        List<OcspExtension> extensions = [];
        if (answered.Answer.ArchiveRetention is TimeSpan retention)
        {
            extensions.Add(ResponseExtensions.ArchiveCutoff(now - retention));
        }

        if (answered.Answer.InvalidityDate is DateTimeOffset invalidityDate)
        {
            extensions.Add(ResponseExtensions.InvalidityDate(invalidityDate));
        }

        return new SingleResponse(answered.CertId, answered.Answer.Status, thisUpdate, nextUpdate, new OcspExtensionCollection(extensions));
    }

    private static OcspExtensionCollection ToResponseExtensions(IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce)
    {
        List<OcspExtension> extensions = [];
        if (nonce is not null)
        {
            extensions.Add(nonce.ToExtension());
        }

        if (answers.Any(answered => answered.Answer.IsExtendedRevoke))
        {
            extensions.Add(ResponseExtensions.ExtendedRevoke);
        }

        return new OcspExtensionCollection(extensions);
    }

    private static DateTimeOffset Earliest(DateTimeOffset a, DateTimeOffset b, DateTimeOffset c) => a <= b && a <= c ? a : b <= c ? b : c;

    private static DateTimeOffset WholeSecond(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
