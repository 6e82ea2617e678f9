using System.Globalization;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>How far a follower has read each issuer's journal. Written <c>demo:7,other:12</c>; an issuer that is not named is at 0. Not thread-safe.</summary>
internal sealed class FeedCursor
{
    private readonly SortedDictionary<string, long> _positions = new(StringComparer.Ordinal);

    /// <summary>The last position that was read.</summary>
    public long this[IssuerId issuer]
    {
        get => _positions.GetValueOrDefault(issuer.ToString());
        set => _positions[issuer.ToString()] = value;
    }

    /// <summary>Reads a cursor. Of issuers that are not among those followed it forgets the position.</summary>
    public static FeedCursor? Parse(string? text, IReadOnlyCollection<IssuerId> followed)
    {
        FeedCursor cursor = new();
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string part in (text ?? "").Split(',', text?.Length > 0 ? StringSplitOptions.None : StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !IssuerId.IsValid(part[..colon]) || !TryParsePosition(part[(colon + 1)..], out long position) || !seen.Add(part[..colon]))
            {
                return null;
            }

            IssuerId issuer = new(part[..colon]);
            if (followed.Contains(issuer))
            {
                cursor[issuer] = position;
            }
        }

        return cursor;
    }

    /// <summary>Reads a position of one journal.</summary>
    public static bool TryParsePosition(string text, out long position) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position);

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Join(',', _positions.Where(one => one.Value > 0).Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}:{one.Value}")));
}
