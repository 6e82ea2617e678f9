using System.Text.RegularExpressions;

namespace OcspCluster.Authority;

/// <summary>
/// The operator's short name of an issuer: 1 to 64 characters of <c>a–z</c>, <c>0–9</c>, <c>-</c>, <c>_</c>, <c>.</c>, beginning with a letter or digit.
/// It is part of URLs, store keys and actor identities, so it never changes once events are recorded under it.
/// </summary>
public readonly partial record struct IssuerId
{
    private readonly string? _value;

    /// <summary>Takes a name.</summary>
    /// <exception cref="ArgumentException">The name breaks the rule above.</exception>
    public IssuerId(string value)
    {
        if (!IsValid(value))
        {
            throw new ArgumentException($"'{value}' is not an issuer id: 1 to 64 of a-z, 0-9, '-', '_', '.', the first a letter or digit.", nameof(value));
        }

        _value = value;
    }

    /// <summary>Whether a text can be an issuer id.</summary>
    public static bool IsValid(string? value) => value is not null && Pattern().IsMatch(value);

    /// <summary>The name.</summary>
    public override string ToString() => _value ?? "";

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
