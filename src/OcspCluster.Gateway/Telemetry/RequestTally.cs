using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// Counts answers by what they say and where they came from, and how long they took: the one hook of telemetry on the request path. It takes no lock and allocates nothing. Thread-safe.
/// </summary>
public sealed partial class RequestTally : IDisposable
{
    private static readonly int s_kinds = Enum.GetValues<AnswerKind>().Length;
    private static readonly int s_sources = Enum.GetValues<AnswerSource>().Length;

    private const int LoggedPerSecond = 10;

    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly SigningBudget _logBudget;
    private readonly Meter _meter = new("OcspCluster.Requests");
    private readonly FixedHistogram _latency;
    private readonly Stripes _answers = new(ResultCount * s_sources);
    private readonly Stripes _refusals = new(HttpRefusals.Count);

    /// <summary>Begins at zero.</summary>
    /// <param name="clock">The clock of durations.</param>
    /// <param name="log">Hears of some of the requests that are refused for what the client sent, at Debug; null: nobody does.</param>
    public RequestTally(TimeProvider clock, ILogger<RequestTally>? log = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _log = log ?? NullLogger<RequestTally>.Instance;
        _logBudget = new SigningBudget(LoggedPerSecond, clock);
        _latency = new FixedHistogram(clock, _meter, "ocsp.request.duration", "From a request that is there as a whole to its answer");
        _meter.CreateObservableCounter("ocsp.requests", ObserveAnswers, "{request}", "Requests by what became of them, what the relying party was told, and where the answer came from");
        _meter.CreateObservableCounter("ocsp.http.refusals", ObserveRefusals, "{request}", "Requests that were refused by an HTTP status before they were OCSP");
    }

    /// <summary>The ways to answer: what a signed answer says, and then each <see cref="OcspOutcome"/> that is not <see cref="OcspOutcome.Answered"/>.</summary>
    internal static int ResultCount { get; } = s_kinds + Enum.GetValues<OcspOutcome>().Length - 1;

    /// <summary>HTTP statuses of requests that were refused before they were OCSP.</summary>
    internal static IReadOnlyList<int> HttpRefusals { get; } = [400, 404, 405, 408, 413, 414, 415];

    /// <summary>How long answers took.</summary>
    internal FixedHistogram Latency => _latency;

    /// <inheritdoc/>
    public void Dispose()
    {
        _latency.Dispose();
        _meter.Dispose();
    }

    /// <summary>Counts an answer.</summary>
    /// <param name="reply">The answer.</param>
    /// <param name="startedAt">The clock's timestamp when the request was there.</param>
    internal void Count(in OcspReply reply, long startedAt)
    {
        int result = reply.Response is { } signed ? (int)signed.Says : s_kinds + (int)reply.Outcome - 1;
        Interlocked.Increment(ref _answers.Mine[(result * s_sources) + (int)reply.Source]);
        _latency.Record(_clock.GetTimestamp() - startedAt);
        Trace(result, reply.Source);

        // What clients send wrong is nobody's error here, and a flood of it must not be one of lines.
        if (reply.Response is null && _log.IsEnabled(LogLevel.Debug) && AnswerOf(result) is "malformedRequest" or "unauthorized" or "sigRequired" && _logBudget.TryTake())
        {
            LogRefused(NameOf(result));
        }
    }

    /// <summary>Counts an answer from the cache.</summary>
    internal void CountHit(AnswerKind says, long startedAt)
    {
        Interlocked.Increment(ref _answers.Mine[((int)says * s_sources) + (int)AnswerSource.Cache]);
        _latency.Record(_clock.GetTimestamp() - startedAt);
        Trace((int)says, AnswerSource.Cache);
    }

    /// <summary>Counts a request that is refused by an HTTP status.</summary>
    internal void CountRefusal(int status)
    {
        for (int i = 0; i < HttpRefusals.Count; i++)
        {
            if (HttpRefusals[i] == status)
            {
                Interlocked.Increment(ref _refusals.Mine[i]);
                return;
            }
        }

        Interlocked.Increment(ref _refusals.Mine[0]);
    }

    /// <summary>All answers so far, by result and source: <c>[result * 4 + source]</c>.</summary>
    internal long[] ReadAnswers()
    {
        long[] counts = new long[ResultCount * s_sources];
        _answers.AddTo(counts);
        return counts;
    }

    /// <summary>All refusals so far, in the order of <see cref="HttpRefusals"/>.</summary>
    internal long[] ReadRefusals()
    {
        long[] counts = new long[HttpRefusals.Count];
        _refusals.AddTo(counts);
        return counts;
    }

    /// <summary>The name of a result, as labels have it: <c>good</c>, <c>neverIssued</c>.</summary>
    internal static string NameOf(int result)
    {
        string name = result < s_kinds ? ((AnswerKind)result).ToString() : ((OcspOutcome)(result - s_kinds + 1)).ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>What the relying party is told by a result: <c>good</c>, <c>revoked</c>, <c>unknown</c>, <c>several</c>, or the OCSPResponseStatus of an unsigned answer (RFC 6960 §4.2.1).</summary>
    internal static string AnswerOf(int result)
    {
        if (result < s_kinds)
        {
            return NameOf(result);
        }

        string status = OcspReply.StatusOf((OcspOutcome)(result - s_kinds + 1)).ToString();
        return char.ToLowerInvariant(status[0]) + status[1..];
    }

    /// <summary>The name of a source, as labels have it.</summary>
    internal static string NameOf(AnswerSource source) => source switch
    {
        AnswerSource.Refused => "refused",
        AnswerSource.Cache => "cache",
        AnswerSource.Kept => "kept",
        AnswerSource.Signer => "signed",
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, "Not a source."),
    };

    [LoggerMessage(72, LogLevel.Debug, "A request was refused: {Outcome}")]
    private partial void LogRefused(string outcome);

    private static void Trace(int result, AnswerSource source)
    {
        if (GatewayActivities.Source.HasListeners())
        {
            Activity.Current?.SetTag("ocsp.outcome", NameOf(result)).SetTag("ocsp.source", NameOf(source));
        }
    }

    // Only what there was: most results have one source.
    private IEnumerable<Measurement<long>> ObserveAnswers()
    {
        long[] answers = ReadAnswers();
        for (int i = 0; i < answers.Length; i++)
        {
            if (answers[i] > 0)
            {
                int result = i / s_sources;
                yield return new(answers[i], new("outcome", NameOf(result)), new("answer", AnswerOf(result)), new("source", NameOf((AnswerSource)(i % s_sources))));
            }
        }
    }

    private IEnumerable<Measurement<long>> ObserveRefusals() =>
        ReadRefusals().Select((count, i) => new Measurement<long>(count, new KeyValuePair<string, object?>("status", HttpRefusals[i]))).Where(refusal => refusal.Value > 0);
}
