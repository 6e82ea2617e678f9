using System.Globalization;
using System.Text.Json;
using OcspCluster.Client;
using OcspCluster.Protocol;
using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>Prints answers, for people or as JSON.</summary>
internal static class AnswerScreen
{
    /// <summary>One answer, for people.</summary>
    public static void Print(Screen screen, Answer answer, OcspResponse response, OcspExchange? exchange, DateTimeOffset now)
    {
        string remark = answer is { Verification: null, Single: not null } ? " (not verified)" : "";
        screen.Line((answer.Question.Name, Styles.Strong), (": ", Style.Plain), (Styles.WordOf(answer.Status), Styles.Of(answer.Status)), (remark, Styles.Warning));
        screen.Field("serial", answer.Question.CertId.SerialNumber.ToString());
        if (exchange is not null)
        {
            screen.Field("responder", string.Create(CultureInfo.InvariantCulture, $"{exchange.Responder} ({exchange.Method}, HTTP {exchange.HttpStatus}, {exchange.Body.Length} octets, {exchange.Elapsed.TotalMilliseconds:0} ms)"));
        }

        if (answer.Single is not SingleResponse single)
        {
            screen.Field("because", answer.Message);
            return;
        }

        screen.Field("signed by", SignerOf(answer, response));
        screen.Field("produced at", TimeText.Relative(response.Basic!.Data.ProducedAt, now));
        screen.Field("this update", TimeText.Relative(single.ThisUpdate, now));
        screen.Field("next update", single.NextUpdate is DateTimeOffset nextUpdate ? TimeText.Relative(nextUpdate, now) : "not told");
        if (response.Basic.Data.Nonce is OcspNonce nonce)
        {
            screen.Field("nonce", nonce.ToString());
        }

        if (single.Status is CertStatus.RevokedStatus revoked)
        {
            screen.Field("revoked", $"{TimeText.Relative(revoked.RevocationTime, now)}, {(ReasonOf(revoked) ?? "no reason given")}", Styles.Of(RevocationStatus.Revoked));
        }
    }

    /// <summary>One answer, a JSON object on a line.</summary>
    public static void PrintJson(TextWriter output, Answer answer, OcspResponse response, OcspExchange? exchange) => output.WriteLine(JsonSerializer.Serialize(new
    {
        Target = answer.Question.Name,
        Serial = answer.Question.CertId.SerialNumber.ToString(),
        Status = CheckJson.WordOf(answer.Status),
        ExitCode = ExitCode.Of(answer.Status),
        Verified = answer.Verification?.IsVerified ?? false,
        Outcome = answer.Verification?.Outcome.ToString(),
        Message = answer.Message,
        ResponderError = response.Status == OcspResponseStatus.Successful ? null : response.Status.ToString(),
        Signer = answer.Verification?.Signer?.Subject,
        Authorization = answer.Verification?.Authorization?.ToString(),
        ProducedAt = answer.Single is null ? null : response.Basic?.Data.ProducedAt,
        ThisUpdate = answer.Single?.ThisUpdate,
        NextUpdate = answer.Single?.NextUpdate,
        RevocationTime = (answer.Single?.Status as CertStatus.RevokedStatus)?.RevocationTime,
        RevocationReason = answer.Single?.Status is CertStatus.RevokedStatus revoked ? ReasonOf(revoked) : null,
        Nonce = response.Basic?.Data.Nonce?.ToString(),
        Responder = exchange?.Responder,
        Method = exchange?.Method,
        HttpStatus = exchange?.HttpStatus,
        Milliseconds = exchange is null ? (double?)null : Math.Round(exchange.Elapsed.TotalMilliseconds, 1),
    }, CheckJson.Options));

    private static string SignerOf(Answer answer, OcspResponse response) => answer.Verification switch
    {
        { Authorization: ResponderAuthorization.Issuer } => "the issuer itself",
        { Authorization: ResponderAuthorization.Delegated, Signer: { } signer } => $"{signer.Subject}, delegated by the issuer",
        { Signer: { } signer } => $"{signer.Subject}, trusted by --trusted-responder",
        _ => $"{response.Basic!.Data.ResponderId}, it says",
    };

    private static string? ReasonOf(CertStatus.RevokedStatus revoked) => revoked.Reason is not RevocationReason reason ? null
        : Enum.IsDefined(reason) ? reason.ToName()
        : string.Create(CultureInfo.InvariantCulture, $"reason {(int)reason}");
}
