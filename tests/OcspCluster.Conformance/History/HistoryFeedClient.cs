namespace OcspCluster.Conformance;

/// <summary>
/// A CA that has a gateway of its own, and sends to any other what that one did not answer. It tells what happens to its own serials, one by one and in batches, and sends again with the same ids what it did not hear the outcome of.
/// For one task at a time.
/// </summary>
internal sealed class HistoryFeedClient(
    IHistoryHost host, int home, HistoryApi api, RevocationHistory history, HistoryWorkload workload, IReadOnlyList<GatewayTally> tallies, LongestGap acknowledgements, Random random, Func<int> takeSerial)
{
    private const int ActiveSerials = 48;

    private readonly List<Certificate> _active = [];
    private readonly List<HistoryEvent> _acknowledged = [];
    private IReadOnlyList<HistoryEvent> _unknown = []; // sent, outcome not heard

    /// <summary>Submits until it is told to stop.</summary>
    /// <param name="stop">Ends it, after the submission under way.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            IReadOnlyList<HistoryEvent> batch = _unknown.Count > 0 ? _unknown : random.Next(12) == 0 && _acknowledged.Count > 0 ? Repeat() : Plan();
            if (!await SubmitAsync(_unknown.Count > 0 ? random.Next(host.Gateways.Count) : home, batch))
            {
                await HistoryPause.AfterFailureAsync(stop);
            }
        }
    }

    /// <summary>Sends again what it did not hear the outcome of.</summary>
    /// <returns>Whether it has heard it of everything now.</returns>
    public async Task<bool> SettleAsync(int gateway) => _unknown.Count == 0 || await SubmitAsync(gateway, _unknown);

    private async Task<bool> SubmitAsync(int gateway, IReadOnlyList<HistoryEvent> batch)
    {
        long sent = history.Now;
        foreach (HistoryEvent told in batch)
        {
            history.Add(told);
            told.NoteSent(sent);
        }

        _unknown = batch;
        IReadOnlyList<ToldOutcome>? outcomes = await api.SubmitAsync(host.Gateways[gateway], batch);
        long answered = history.Now;
        tallies[gateway].CountSubmission(isAcknowledged: outcomes is not null);
        if (outcomes is null)
        {
            return false;
        }

        _unknown = [];
        acknowledgements.Note(answered);
        for (int i = 0; i < batch.Count; i++)
        {
            Note(batch[i], outcomes[i], gateway, sent, answered);
        }

        return true;
    }

    private void Note(HistoryEvent told, ToldOutcome outcome, int gateway, long sent, long answered)
    {
        if (outcome.Id != told.Id || outcome.Outcome is not ("applied" or "duplicate"))
        {
            told.NoteRefused($"{outcome}");
            return;
        }

        if (told.Acknowledgements.Count == 0)
        {
            _acknowledged.Add(told);
        }

        told.NoteAcknowledged(new HistoryAcknowledgement(sent, answered, gateway, outcome.Outcome == "duplicate", outcome.Position));
    }

    // As a CA does whose process was restarted in the middle of something.
    private HistoryEvent[] Repeat() => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => _acknowledged[random.Next(_acknowledged.Count)]).Distinct()];

    private List<HistoryEvent> Plan()
    {
        int events = random.Next(10) switch { < 5 => 1, < 9 => random.Next(2, 20), _ => random.Next(20, 120) };
        List<HistoryEvent> batch = new(events);
        for (int i = 0; i < events; i++)
        {
            int index = random.Next(ActiveSerials);
            if (index >= _active.Count)
            {
                _active.Add(new Certificate(takeSerial()));
                index = _active.Count - 1;
            }

            Certificate certificate = _active[index];
            HistoryEvent next = workload.Next(certificate.Serial, certificate.Events, certificate.Status, random);
            certificate.Events++;
            certificate.Status = certificate.Status.After(next);
            batch.Add(next);
            if (next.Kind == HistoryEventKind.Revoked)
            {
                _active.RemoveAt(index); // for good; another takes its place
            }
        }

        return batch;
    }

    private sealed class Certificate(int serial)
    {
        public int Serial => serial;

        public int Events { get; set; }

        public ShownStatus Status { get; set; }
    }
}
