using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OcspCluster.Gateway;

// A session stands for a key in a browser, so that the key is typed once and no script ever holds it. It lives in this process's memory: its end is certain, a restart
// ends it, and nothing that is on a disk or in a backup lets anybody in. docs/decisions/0055-sessions.md has what else was thought of.

/// <summary>Who logged in to the dashboard with a key. Thread-safe.</summary>
/// <param name="lifetime">How long a session lasts, whatever happens in it.</param>
/// <param name="clock">The clock; sessions end by monotonic time.</param>
internal sealed class AdminSessions(TimeSpan lifetime, TimeProvider clock)
{
    /// <summary>More than operators have browsers. Beyond it the oldest session ends.</summary>
    public const int Capacity = 1000;

    private const int TokenBytes = 32;

    private readonly Dictionary<string, AdminSession> _sessions = []; // by the hash of the token: the memory of a crashed process lets nobody in either
    private readonly Queue<string> _order = new(); // they all last equally long: the first to begin is the first to end
    private readonly Lock _lock = new();

    /// <summary>How long a session lasts.</summary>
    public TimeSpan Lifetime => lifetime;

    /// <summary>Begins a session.</summary>
    /// <returns>What the browser sends from now on, and the session.</returns>
    public (string Token, AdminSession Session) Begin(string keyId)
    {
        string token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        AdminSession session = new(keyId, clock.GetTimestamp(), clock.GetUtcNow() + lifetime);
        lock (_lock)
        {
            while (_order.TryPeek(out string? oldest) && (_order.Count >= Capacity || !_sessions.TryGetValue(oldest, out AdminSession? one) || HasEnded(one)))
            {
                _sessions.Remove(_order.Dequeue());
            }

            string hash = Hash(token);
            _sessions.Add(hash, session);
            _order.Enqueue(hash);
        }

        return (token, session);
    }

    /// <summary>The session of a token; null when there is none, or it has ended.</summary>
    public AdminSession? Find(string token)
    {
        lock (_lock)
        {
            return _sessions.TryGetValue(Hash(token), out AdminSession? session) && !HasEnded(session) ? session : null;
        }
    }

    /// <summary>Ends a session before its time.</summary>
    public void End(string token)
    {
        lock (_lock)
        {
            _sessions.Remove(Hash(token));
        }
    }

    private bool HasEnded(AdminSession session) => clock.GetElapsedTime(session.BeganAt) >= lifetime;

    private static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}

/// <summary>Somebody who logged in. Immutable.</summary>
/// <param name="KeyId">With which key.</param>
/// <param name="BeganAt">The clock's timestamp of then.</param>
/// <param name="EndsAt">When it ends, for people.</param>
internal sealed record AdminSession(string KeyId, long BeganAt, DateTimeOffset EndsAt);
