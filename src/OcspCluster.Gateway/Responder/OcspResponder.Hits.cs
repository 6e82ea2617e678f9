using OcspCluster.Authority;

namespace OcspCluster.Gateway;

public sealed partial class OcspResponder
{
    private readonly PlainRequest _plain;

    /// <summary>
    /// Finds the answer to a plain request that lies in the cache and may be given as it is. Takes no lock, allocates nothing, asks nobody. What it does not find,
    /// <see cref="AnswerAsync(ReadOnlyMemory{byte}, CancellationToken)"/> judges from the beginning, and by the same rules.
    /// </summary>
    internal bool TryFindHit(ReadOnlySpan<byte> request, DateTimeOffset now, out CacheRecord hit)
    {
        hit = default;
        if (!_plain.TryRead(request, out ReadOnlySpan<byte> certId, out ReadOnlySpan<byte> serial, out (Issuer Issuer, ulong Salt) served)
            || !_cache.TryFind(_cache.HashOf(served.Salt, serial), certId, out hit)
            || hit.IsMadeDue
            || now.ToUnixTimeSeconds() >= hit.RefreshAt
            || (hit.HeldUntil is var until && until != long.MaxValue && _clock.GetTimestamp() >= until) // most are held until they are told otherwise
            || !(hit.IsRevoked || _answers.HasLease(served.Issuer.Id) || served.Issuer.Policy.WithoutLease == WithoutLease.ServeUntilNextUpdate))
        {
            return false;
        }

        hit.WasUsed = true;
        hit.WasAsked = true;
        return true;
    }
}
