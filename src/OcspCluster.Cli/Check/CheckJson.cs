using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>Writes reports for programs: one JSON object a line. Names and values are part of the users' interface: they grow, and do not change.</summary>
internal static class CheckJson
{
    /// <summary>How all JSON of this tool is written: characters that drive a terminal are escaped.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.Default,
    };

    /// <summary>The line of one report.</summary>
    public static string Of(CheckReport report) => JsonSerializer.Serialize(new
    {
        Target = report.Target,
        Status = WordOf(report.Status),
        ExitCode = ExitCode.Of(report.Status),
        Failure = report.Failure,
        Tls = report.Server is ServerCertificates server
            ? new { Protocol = server.Protocol.ToString(), AskedForStaple = server.AskedForStaple, CanSeeStaple = server.CanSeeStaple, Stapled = !server.StapledResponse.IsEmpty, PolicyErrors = server.PolicyErrors.ToString() }
            : null,
        Certificates = report.Verdicts.Select(CertificateOf),
        Notes = report.Notes,
        Advice = report.Advice,
    }, Options);

    /// <summary>The word of a status: camel case, as the rest of the JSON.</summary>
    public static string WordOf(RevocationStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private static object CertificateOf(RevocationVerdict verdict) => new
    {
        Subject = verdict.Certificate.Subject,
        Issuer = verdict.Certificate.Issuer,
        Serial = SerialNumber.FromCertificate(verdict.Certificate).ToString(),
        Sha256 = verdict.Certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256),
        NotBefore = (DateTimeOffset)verdict.Certificate.NotBefore.ToUniversalTime(),
        NotAfter = (DateTimeOffset)verdict.Certificate.NotAfter.ToUniversalTime(),
        Status = WordOf(verdict.Status),
        RevocationTime = verdict.RevocationTime,
        RevocationReason = verdict.RevocationReason is RevocationReason reason && Enum.IsDefined(reason) ? reason.ToName() : null,
        Failure = verdict.Failure == RevocationFailure.None ? null : verdict.Failure.ToString(),
        Message = verdict.Message,
        Evidence = verdict.Evidence is RevocationEvidence evidence ? EvidenceOf(evidence) : null,
        Attempts = verdict.Attempts.Select(attempt => new
        {
            Source = attempt.Source.ToString(),
            attempt.Uri,
            attempt.Method,
            attempt.HttpStatus,
            Failure = attempt.Failure == RevocationFailure.None ? null : attempt.Failure.ToString(),
            Outcome = attempt.Outcome?.ToString(),
            ResponderError = attempt.ResponderError?.ToString(),
            attempt.Message,
            Milliseconds = Math.Round(attempt.Elapsed.TotalMilliseconds, 1),
        }),
    };

    private static object EvidenceOf(RevocationEvidence evidence) => new
    {
        Source = evidence.Source.ToString(),
        evidence.Uri,
        Signer = evidence.Signer.Subject,
        Authorization = evidence.Authorization.ToString(),
        evidence.ProducedAt,
        evidence.ThisUpdate,
        evidence.NextUpdate,
        evidence.IsFresh,
        evidence.CertIdHashOid,
        CrlNumber = evidence.CrlNumber?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Answer = Convert.ToBase64String(evidence.Answer.Span),
    };
}
