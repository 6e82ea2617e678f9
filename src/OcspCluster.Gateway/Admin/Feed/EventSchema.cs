using System.ComponentModel;

namespace OcspCluster.Gateway;

// The feed's body and answer as the OpenAPI document shows them. They are read and written by hand (EventFields, OutcomeWriter), strictly and without a million objects; a test
// holds the two together.

/// <summary>A batch. An array of events, or one event by itself, does as well.</summary>
internal sealed record EventsBody(IReadOnlyList<EventBody> Events);

/// <summary>An event.</summary>
internal sealed record EventBody(
    [property: Description("The idempotency key: the same id again has the first outcome. 1 to 200 characters.")] string Id,
    [property: Description("issued, revoked, held or released.")] string Kind,
    [property: Description("When it happened, RFC 3339 with offset.")] DateTimeOffset At,
    [property: Description("Hexadecimal. May be left out beside a certificate.")] string? Serial = null,
    [property: Description("The name or number of RFC 5280 section 5.3.1.")] string? Reason = null,
    [property: Description("When the key is known or suspected to have been compromised.")] DateTimeOffset? InvalidityDate = null,
    [property: Description("The end of the certificate's validity.")] DateTimeOffset? NotAfter = null,
    [property: Description("For issued: the certificate in PEM or base64 of DER. Serial and notAfter are read from it, and its issuer is checked.")] string? Certificate = null);

/// <summary>The answer to a batch.</summary>
internal sealed record EventsAnswer(IReadOnlyList<OutcomeBody> Outcomes, long Position);

/// <summary>What became of an event.</summary>
internal sealed record OutcomeBody(
    int Index,
    string Id,
    [property: Description("applied, duplicate or refused.")] string Outcome,
    [property: Description("The journal's position of the event; of a refused one, of what stands in its way, or 0.")] long Position,
    [property: Description("The name of the refusal.")] string? Reason = null,
    [property: Description("The refusal in a sentence.")] string? Detail = null);
