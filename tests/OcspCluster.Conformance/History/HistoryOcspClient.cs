using System.Net.Http.Headers;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>
/// A relying party that asks its gateway one question after the other, at full rate, over connections that it keeps. It stays with that one: a gateway that hangs must not silence those who could ask the others.
/// For one task at a time.
/// </summary>
internal sealed class HistoryOcspClient : IDisposable
{
    private const int SignatureSample = 50;
    private const int Remembered = 4096;

    private readonly IHistoryHost _host;
    private readonly int _home;
    private readonly RevocationHistory _history;
    private readonly HistoryWorkload _workload;
    private readonly IReadOnlyList<GatewayTally> _tallies;
    private readonly Random _random;
    private readonly RawCertId[] _forms;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<(int Serial, int Form), Reading> _read = []; // reading costs more than asking: the same octets say the same again
    private int _sinceSignature;

    public HistoryOcspClient(IHistoryHost host, int home, RevocationHistory history, HistoryWorkload workload, IReadOnlyList<GatewayTally> tallies, Random random)
    {
        (_host, _home, _history, _workload, _tallies, _random) = (host, home, history, workload, tallies, random);
        _forms = [RawCertId.For(host.IssuerCertificate, [1]), RawCertId.For(host.IssuerCertificate, [1], OcspOids.Sha256)];
    }

    /// <summary>How many signatures were verified.</summary>
    public long Verified { get; private set; }

    /// <summary>Asks until it is told to stop.</summary>
    /// <param name="known">How many serials the feed has begun with, at any time.</param>
    /// <param name="stop">Ends it, after the question under way.</param>
    public async Task RunAsync(Func<int> known, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            // Mostly what changes now; sometimes what changed long ago, will be issued any moment, or never is.
            int serials = known();
            int serial = _random.Next(20) switch
            {
                0 => -1 - _random.Next(1000),
                1 => serials + _random.Next(8),
                < 6 => _random.Next(serials + 1),
                _ => Math.Max(0, serials - 1 - _random.Next(256)),
            };
            if (await AskAsync(_home, serial, _random.Next(8) == 0 ? 1 : 0, _random.Next(2) == 0) is QuestionOutcome.Failed)
            {
                await HistoryPause.AfterFailureAsync(stop);
            }
        }
    }

    /// <summary>Asks one question and records it.</summary>
    public async Task<QuestionOutcome> AskAsync(int gateway, int serial, int form, bool byGet)
    {
        byte[] request = RawOcspRequest.For(_forms[form] with { Serial = _workload.SerialOf(serial) }).Encode();
        Uri uri = _host.Gateways[gateway].OcspUri;
        using HttpRequestMessage message = byGet
            ? new HttpRequestMessage(HttpMethod.Get, uri.GetLeftPart(UriPartial.Authority) + "/" + Testing.GetTarget.Escaped(request))
            : new HttpRequestMessage(HttpMethod.Post, uri) { Content = new ByteArrayContent(request) { Headers = { ContentType = new MediaTypeHeaderValue("application/ocsp-request") } } };
        QuestionOutcome outcome;
        long sent = _history.Now;
        try
        {
            using HttpResponseMessage response = await _client.SendAsync(message);
            byte[] body = await response.Content.ReadAsByteArrayAsync();
            long answered = _history.Now;
            outcome = response.IsSuccessStatusCode ? Judge(body, serial, form, gateway, sent, answered) : QuestionOutcome.Error;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            outcome = QuestionOutcome.Failed;
        }

        _tallies[gateway].Count(outcome, _history.Now);
        return outcome;
    }

    public void Dispose() => _client.Dispose();

    private QuestionOutcome Judge(byte[] body, int serial, int form, int gateway, long sent, long answered)
    {
        if (!_read.TryGetValue((serial, form), out Reading? reading) || !reading.Body.AsSpan().SequenceEqual(body))
        {
            try
            {
                reading = Read(body, serial, form, answered);
            }
            catch (InvalidDataException e)
            {
                _history.Add(new HistoryViolation(HistoryViolationKind.InvalidAnswer, answered, $"gateway {gateway} about serial #{serial}: {e.Message}"));
                return QuestionOutcome.Error;
            }

            if (_read.Count >= Remembered)
            {
                _read.Clear();
            }

            _read[(serial, form)] = reading;
        }

        if (reading.Outcome == QuestionOutcome.Answered)
        {
            _history.Add(serial, new HistoryAnswer(sent, answered, gateway, reading.Shown, reading.ProducedAt));
        }

        return reading.Outcome;
    }

    private Reading Read(byte[] body, int serial, int form, long answered)
    {
        RawOcspResponse response = RawOcspResponse.Parse(body);
        if (response.Status != Questions.Successful)
        {
            return response.Status == Questions.Unauthorized
                ? new Reading(body, QuestionOutcome.Answered, ShownStatus.NotIssued, null)
                : new Reading(body, response.Status == Questions.TryLater ? QuestionOutcome.TryLater : QuestionOutcome.Error, default, null);
        }

        RawSingleResponse single = response.Singles.Count == 1 ? response.Singles[0] : throw new InvalidDataException($"{response.Singles.Count} SingleResponses");
        DateTimeOffset now = _history.ToWallClock(answered);
        string? wrong =
            !single.CertId.AsSpan().SequenceEqual((_forms[form] with { Serial = _workload.SerialOf(serial) }).Encode()) ? "it is of another certificate"
            : single.NextUpdateTime <= now ? $"it ended at {single.NextUpdateTime:u}"
            : single.ThisUpdateTime > response.ProducedAtTime ? "thisUpdate is after producedAt"
            : IsSampled() && !response.IsSignedBy(_host.ResponderCertificate) ? "its signature does not verify"
            : null;
        return wrong is null
            ? new Reading(body, QuestionOutcome.Answered, ShownStatus.Of(single), response.ProducedAtTime.ToUnixTimeSeconds())
            : throw new InvalidDataException($"{wrong}: {Convert.ToHexString(body)}");
    }

    private bool IsSampled()
    {
        if (_sinceSignature++ % SignatureSample != 0)
        {
            return false;
        }

        Verified++;
        return true;
    }

    private sealed record Reading(byte[] Body, QuestionOutcome Outcome, ShownStatus Shown, long? ProducedAt);
}
