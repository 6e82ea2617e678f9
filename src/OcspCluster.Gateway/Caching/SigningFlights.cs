using System.Collections.Concurrent;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What became of the signing of an answer: it is in the cache, or another version is in force by now, or it failed.</summary>
/// <param name="Cached">The answer; null when there is none to give.</param>
/// <param name="Failure">Why there is none; null when the status has to be read again.</param>
internal readonly record struct SigningFlight(CachedResponse? Cached, OcspOutcome? Failure);

/// <summary>
/// The answers that are being signed now: of many who miss the same one, the first signs and the others get what it signed. Thread-safe.
/// Two are the same when nothing tells them apart: the form of the CertID, the signer, the version of the stripe, and the status that was read.
/// </summary>
internal sealed class SigningFlights
{
    private readonly ConcurrentDictionary<Key, Task<SigningFlight>> _flights = new();

    /// <summary>How many are being signed.</summary>
    public int Count => _flights.Count;

    /// <summary>Joins the flight of this key, or begins it. The flight goes on when nobody waits for it any more.</summary>
    public Task<SigningFlight> JoinAsync(Key key, Func<Task<SigningFlight>> sign)
    {
        if (_flights.TryGetValue(key, out Task<SigningFlight>? inTheAir))
        {
            return inTheAir;
        }

        TaskCompletionSource<SigningFlight> mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<SigningFlight> flight = _flights.GetOrAdd(key, mine.Task);
        if (ReferenceEquals(flight, mine.Task))
        {
            _ = FlyAsync(key, mine, sign);
        }

        return flight;
    }

    private async Task FlyAsync(Key key, TaskCompletionSource<SigningFlight> flight, Func<Task<SigningFlight>> sign)
    {
        try
        {
            SigningFlight landed = await sign().ConfigureAwait(false);
            _flights.TryRemove(key, out _); // it is in the cache: who comes now finds it there
            flight.SetResult(landed);
        }
#pragma warning disable CA1031 // It is thrown where the flight is awaited.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _flights.TryRemove(key, out _);
            flight.SetException(e);
            _ = flight.Task.Exception; // looked at, if nobody else does
        }
    }

    /// <summary>What tells flights apart, compared by content.</summary>
    public readonly struct Key(IssuerId issuer, CertId certId, SigningCredential? preferred, long version, CertificateStatus? status) : IEquatable<Key>
    {
        private readonly IssuerId _issuer = issuer;
        private readonly CertId _certId = certId;
        private readonly SigningCredential? _preferred = preferred;
        private readonly long _version = version;
        private readonly CertificateStatus? _status = status;

        public bool Equals(Key other) =>
            _version == other._version && _issuer == other._issuer && ReferenceEquals(_preferred, other._preferred)
            && _certId.Encoded.Span.SequenceEqual(other._certId.Encoded.Span) && Equals(_status, other._status);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(_issuer, _certId.SerialNumber, _version);
    }
}
