using System.ComponentModel;
using System.Numerics;

namespace OcspCluster.Gateway;

/// <summary>How a standing source of an issuer is. Immutable.</summary>
/// <param name="Kind">What it is: <c>crl</c>, <c>delta</c> or <c>index</c>.</param>
/// <param name="Location">The file or URL.</param>
/// <param name="LastLook">When it was looked at last; null before the first time.</param>
/// <param name="LastSuccess">When that went well last.</param>
/// <param name="Error">What was wrong the last time; null when nothing was.</param>
/// <param name="Failures">How often in a row something was wrong.</param>
/// <param name="Applied">Events recorded from it since the start.</param>
public sealed record SourceState(
    string Kind,
    string Location,
    DateTimeOffset? LastLook = null,
    DateTimeOffset? LastSuccess = null,
    string? Error = null,
    int Failures = 0,
    long Applied = 0)
{
    /// <summary>The number of the last CRL that was taken.</summary>
    public BigInteger? Number { get; init; }

    /// <summary>Its nextUpdate.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>The host of the cluster that looks at it; null where this one does.</summary>
    public string? HeldBy { get; init; }

    /// <summary>Problems of single lines or entries the last time something was taken: the first of them, in words.</summary>
    public string? Problem { get; init; }
}

/// <summary>A standing source as the read side shows it.</summary>
internal sealed record SourceView(
    [property: Description("crl, delta or index.")] string Kind,
    string Location,
    [property: Description("The number of the last CRL that was taken.")] string? Number,
    DateTimeOffset? NextUpdate,
    DateTimeOffset? LastLook,
    DateTimeOffset? LastSuccess,
    [property: Description("What was wrong the last time; null when nothing was.")] string? Error,
    [property: Description("What could not be taken of what was taken last.")] string? Problem,
    int Failures,
    [property: Description("Events recorded from it since the start.")] long Applied,
    [property: Description("In a cluster: the silo that looks at it, where it is another one; how it fares is told there.")] string? HeldBy)
{
    public static SourceView Of(SourceState state) => new(
        state.Kind, state.Location, state.Number?.ToString(System.Globalization.CultureInfo.InvariantCulture), state.NextUpdate,
        state.LastLook, state.LastSuccess, state.Error, state.Problem, state.Failures, state.Applied, state.HeldBy);
}
