using Microsoft.AspNetCore.Http;

namespace OcspCluster.Gateway;

/// <summary>The errors of the admin API (problem details, RFC 9457).</summary>
internal static class AdminProblems
{
    public const string OutcomeUnknown = "The outcome is unknown";

    public static IResult Create(int status, string title, string detail, params (string Name, object? Value)[] more) =>
        Results.Problem(detail, statusCode: status, title: title, extensions: more.ToDictionary(pair => pair.Name, pair => pair.Value));

    public static IResult NoSuchIssuer(string issuer) => Create(StatusCodes.Status404NotFound, "No such issuer", $"There is no issuer '{issuer}' here.");

    public static IResult BadParameter(string name, string problem) =>
        Create(StatusCodes.Status400BadRequest, "A parameter is wrong", $"{name} {problem}.", ("field", name));

    /// <summary>The first problem in the fields that name it, all of them in a list.</summary>
    public static IResult BadEvents(IReadOnlyList<IndexedProblem> problems) => Create(
        StatusCodes.Status400BadRequest,
        "The events cannot be read, and nothing of them was applied",
        problems[0].ToString(),
        ("index", problems[0].Index),
        ("field", problems[0].Field),
        ("errors", problems.Select(problem => new { problem.Index, problem.Field, problem.Problem })));
}
