using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Conformance;

/// <summary>Events with ids of their own.</summary>
public static class Events
{
    private static long s_last;

    /// <summary>A certificate was issued, in 2026 unless told.</summary>
    public static RevocationEvent Issued(byte[] serial, DateTimeOffset? notAfter = null) =>
        Event(serial, EventKind.Issued, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)) with { NotAfter = notAfter };

    /// <summary>It is revoked.</summary>
    public static RevocationEvent Revoked(byte[] serial, RevocationReason? reason = null, DateTimeOffset? at = null) =>
        Event(serial, EventKind.Revoked, at ?? Known.RevokedAt) with { Reason = reason };

    /// <summary>It is suspended.</summary>
    public static RevocationEvent Held(byte[] serial, DateTimeOffset? at = null) => Event(serial, EventKind.Held, at ?? Known.RevokedAt);

    /// <summary>Its suspension is lifted.</summary>
    public static RevocationEvent Released(byte[] serial, DateTimeOffset at) => Event(serial, EventKind.Released, at);

    private static RevocationEvent Event(byte[] serial, EventKind kind, DateTimeOffset at) => new()
    {
        Id = "event-" + Interlocked.Increment(ref s_last).ToString(CultureInfo.InvariantCulture),
        Serial = SerialNumber.FromContent(serial),
        Kind = kind,
        At = at,
    };
}
