using OcspCluster.Authority;
using OcspCluster.Protocol;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>
/// A history at random: events by several writers, questions to every gateway, ways cut, silos paused and lost, the store away. Each answer is held against what was acknowledged before it was asked for.
/// The ways are chosen by the seed; which of two things that go on at once is first, is not.
/// </summary>
[Collection(nameof(SimulatedCluster))] // one after the other: they wait until nothing is going on
public sealed class HistoryTests
{
    private const int Steps = 250;
    private const int Serials = 4;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task AnyHistory_NoAnswerIsOlderThanAnAcknowledgedEvent(int seed)
    {
        History history = new(seed);
        await history.RunAsync(Steps);

        Assert.True(history.Acknowledged > 10 && history.Good > 10, $"Too little happened: {history.Acknowledged} acknowledged, {history.Good} times good.");
        Assert.Empty(history.Violations);
    }

    [Fact]
    public async Task InvalidationSwitchedOff_IsCaught()
    {
        History history = new(seed: 1);
        history.Cluster.IsInvalidationOff = true;
        await history.RunAsync(Steps);

        Assert.NotEmpty(history.Violations);
    }

    private sealed class History
    {
        private readonly Random _random;
        private readonly List<(Task<IReadOnlyList<EventOutcome>> Task, SerialNumber Serial)> _underWay = [];
        private readonly Dictionary<SerialNumber, long> _acknowledged = []; // the highest position that was acknowledged
        private readonly List<Task> _renewals = [];
        private int _events;
        private int _generation;

        public History(int seed)
        {
            _random = new Random(seed);
            foreach (string name in new[] { "a", "b", "c" })
            {
                Cluster.Start(name);
            }
        }

        public SimulatedCluster Cluster { get; } = new();

        public List<string> Violations { get; } = [];

        public int Acknowledged { get; private set; }

        public int Good { get; private set; }

        public async Task RunAsync(int steps)
        {
            Cluster.Clock.Advance(Cluster.Options.Lease);
            await Cluster.RenewAsync();
            await Cluster.Silos.First().SubmitAsync([.. Enumerable.Range(0, Serials).Select(number => Issued($"i{number}", Serial(number)))]);
            for (int step = 0; step < steps; step++)
            {
                await StepAsync(step);
            }
        }

        private async Task StepAsync(int step)
        {
            SimulatedSilo silo = Any();
            switch (_random.Next(20))
            {
                case < 4 when !silo.IsPaused:
                    await SubmitAsync(silo);
                    break;
                case < 13 when !silo.IsPaused:
                    await AskAsync(silo, step);
                    break;
                case < 16:
                    LetTimePass(700);
                    break;
                case 16:
                    Cluster.Cut(silo.Self, Any().Self);
                    break;
                case 17:
                    silo.Store.IsAway = true;
                    break;
                case 18 when _random.Next(3) == 0:
                    silo.IsPaused = !silo.IsPaused;
                    break;
                case 19 when _random.Next(6) == 0:
                    Cluster.Crash(silo.Self);
                    Cluster.Start($"{silo.Self[..1]}{++_generation}");
                    break;
                default:
                    Cluster.Heal();
                    foreach (SimulatedSilo one in Cluster.Silos)
                    {
                        one.Store.IsAway = false;
                        one.IsPaused &= _random.Next(2) == 0;
                    }

                    break;
            }

            await TakeAcknowledgementsAsync();
        }

        private async Task SubmitAsync(SimulatedSilo silo)
        {
            SerialNumber serial = Serial(_random.Next(Serials));
            string id = $"e{_events++}";
            RevocationEvent @event = _random.Next(2) == 0 ? Held(id, serial) : Released(id, serial);
            Task<IReadOnlyList<EventOutcome>> submission = silo.Sequencer.SubmitAsync([@event], CancellationToken.None).AsTask();
            _underWay.Add((submission, serial));
            int patience = _random.Next(20);
            for (int i = 0; i < patience && !await SimulatedCluster.IsSettledAsync(submission); i++)
            {
                LetTimePass(250);
            }
        }

        private void LetTimePass(int mostMilliseconds)
        {
            Cluster.Clock.Advance(TimeSpan.FromMilliseconds(_random.Next(5, mostMilliseconds)));
            _renewals.AddRange(Cluster.Silos.Where(one => !one.IsPaused).Select(one => one.Lease.RunOnceAsync()));
        }

        private async Task AskAsync(SimulatedSilo silo, int step)
        {
            SerialNumber serial = Serial(_random.Next(Serials));
            await TakeAcknowledgementsAsync();
            long acknowledged = _acknowledged.GetValueOrDefault(serial);
            (_, CertStatus? status) = await silo.AskAsync(serial);
            if (status is null)
            {
                return; // tryLater is always right
            }

            Good += status is CertStatus.GoodStatus ? 1 : 0;
            JournalEntry[] entries = [.. Cluster.Store.Journal.Where(entry => entry.Event.Serial == serial)];
            IEnumerable<JournalEntry> allowed = entries.Where(entry => entry.Position > acknowledged).Append(entries.Last(entry => entry.Position <= Math.Max(acknowledged, entries[0].Position)));
            if (!allowed.Any(entry => entry.Status.State == CertificateState.Good == status is CertStatus.GoodStatus))
            {
                Violations.Add($"step {step}: {silo.Self} said {status} of {serial}, and position {acknowledged} was acknowledged before");
            }
        }

        private async Task TakeAcknowledgementsAsync()
        {
            foreach ((Task<IReadOnlyList<EventOutcome>> task, SerialNumber serial) in _underWay.ToArray())
            {
                if (task.IsCompleted)
                {
                    _underWay.Remove((task, serial));
                    if (task.IsCompletedSuccessfully)
                    {
                        long position = (await task)[0].Position;
                        _acknowledged[serial] = Math.Max(_acknowledged.GetValueOrDefault(serial), position);
                        Acknowledged++;
                    }
                    else
                    {
                        Assert.IsType<RevocationStoreException>(task.Exception?.InnerException);
                    }
                }
            }

            foreach (Task renewal in _renewals.Where(renewal => renewal.IsCompleted).ToArray())
            {
                _renewals.Remove(renewal);
                await renewal;
            }
        }

        private SimulatedSilo Any() => Cluster.Silos.ElementAt(_random.Next(Cluster.Silos.Count));
    }
}
