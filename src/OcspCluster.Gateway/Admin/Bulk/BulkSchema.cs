using System.ComponentModel;
using Microsoft.OpenApi;

namespace OcspCluster.Gateway;

// The lines of the answers as the OpenAPI document shows them; they are written by hand (ProgressLines, BulkRun).

/// <summary>A line of the answer to an import: one of the four.</summary>
internal sealed record ImportLineView(ImportCountsView? Progress, ImportProblemView? Problem, ImportSummaryView? Summary, FailureView? Error);

/// <summary>How far an import is.</summary>
internal record ImportCountsView(
    [property: Description("Lines, or entries of a CRL, that were read.")] long Lines,
    [property: Description("Those of which it is known what became of them.")] long Settled,
    long Applied,
    long Duplicate,
    [property: Description("Certificates of which all was known before.")] long Unchanged,
    [property: Description("Lines not taken.")] long Problems);

/// <summary>A line that was not taken.</summary>
internal sealed record ImportProblemView(long Line, string Detail);

/// <summary>What an import came to.</summary>
internal sealed record ImportSummaryView(
    long Lines, long Settled, long Applied, long Duplicate, long Unchanged, long Problems, bool DryRun,
    [property: Description("Why nothing of the file was taken; null when it was.")] string? Refusal,
    string? Note);

/// <summary>A line of the answer to a bulk operation: one of the four.</summary>
internal sealed record BulkLineView(BulkCountsView? Progress, BulkRefusalView? Refused, BulkCountsView? Summary, FailureView? Error);

/// <summary>How far a bulk operation is, or what it came to.</summary>
internal sealed record BulkCountsView(
    string Id,
    bool DryRun,
    long Serials,
    long Applied,
    long Duplicate,
    long Refused,
    long Malformed,
    [property: Description("Of the applied ones those of which nothing was known before.")] long Unissued,
    long Position,
    [property: Description("Refusals by name.")] IReadOnlyDictionary<string, long> Refusals,
    [property: Description("In the summary: some serial numbers of each outcome.")] IReadOnlyDictionary<string, IReadOnlyList<string>>? Samples);

/// <summary>A serial number to which it was not done.</summary>
internal sealed record BulkRefusalView([property: Description("The line or place in the list; by time of issuance the position in the journal.")] long Line, string? Serial, string Reason, string Detail);

/// <summary>The store failed: what comes after is unknown.</summary>
internal sealed record FailureView(int Status, string Title, string Detail);

/// <summary>The parameters of a bulk operation.</summary>
internal static class BulkParameters
{
    public static IEnumerable<IOpenApiParameter> Describe() =>
    [
        Of("id", "The job: the same id again goes on where it ended. 1 to 64 of letters, digits, '-', '_', '.'.", isRequired: true),
        Of("kind", "revoked, held or released.", isRequired: true),
        Of("at", "When, RFC 3339 with offset; now where absent."),
        Of("reason", "For revoked: the name or number of RFC 5280 section 5.3.1."),
        Of("invalidityDate", "For revoked and held: when the keys are known or suspected to have been compromised."),
        Of("issuedFrom", "Certificates issued at or after this time, by the at of their issued event."),
        Of("issuedTo", "Certificates issued before this time."),
        Of("dryRun", "true: tells what would become of each, and records nothing."),
    ];

    private static OpenApiParameter Of(string name, string description, bool isRequired = false) =>
        new() { Name = name, In = ParameterLocation.Query, Required = isRequired, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
}
