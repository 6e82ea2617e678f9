using System.Numerics;
using OcspCluster.Protocol;

namespace OcspCluster.Authority.Tests;

public sealed class RefreshScheduleTests
{
    private static readonly DateTimeOffset s_start = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);

    private readonly RefreshSchedule _schedule = new(TimeSpan.FromSeconds(1), capacity: 2_000_000);
    private readonly HashSet<SerialNumber> _asked = [];

    [Fact]
    public void TryTake_ComesUpWhenDue_NotBefore()
    {
        Track(1, dueSeconds: 10);
        Assert.Null(Take(9));
        Assert.Equal(Serial(1), Take(10)?.Serial);
        Assert.Null(Take(1_000)); // it is in our hands
    }

    [Fact]
    public void TryTake_CoarseResolution_IsEarlyByNoMoreThanThat_AndNeverLate()
    {
        RefreshSchedule coarse = new(TimeSpan.FromSeconds(100), capacity: 1_000);
        for (int i = 0; i < 1_000; i++)
        {
            coarse.Track(Serial(i), 0, Times(i + 100));
        }

        HashSet<int> taken = [];
        for (int now = 0; now < 1_200; now++)
        {
            while (coarse.TryTake(s_start.AddSeconds(now), (_, _) => false, out DueAnswer due))
            {
                int index = (int)new BigInteger(due.Serial.Content, isBigEndian: true);
                Assert.InRange(index + 100 - now, 0, 100);
                taken.Add(index);
            }
        }

        Assert.Equal(1_000, taken.Count);
    }

    [Fact]
    public void TryTake_ManyDue_ByPriority()
    {
        Track(1, dueSeconds: 1, latestSeconds: 1_000); // cold
        Track(2, dueSeconds: 2, latestSeconds: 1_000);
        Track(3, dueSeconds: 3, latestSeconds: 1_000);
        Track(4, dueSeconds: 500_000);
        Track(5, dueSeconds: 0, latestSeconds: 5); // late
        _asked.Add(Serial(2));
        Assert.Equal(1, _schedule.ChangeStatus(Serial(4)));
        Assert.Equal(
            [(4, RefreshPriority.NewlyRevoked), (5, RefreshPriority.AboutToExpire), (2, RefreshPriority.AskedRecently), (1, RefreshPriority.Cold), (3, RefreshPriority.Cold)],
            TakeAll(10).Select(due => ((int)new BigInteger(due.Serial.Content, isBigEndian: true), due.Priority)));
    }

    [Fact]
    public void TryTake_ColdAnswerThatBecameLate_ComesBeforeAskedOnes()
    {
        Track(1, dueSeconds: 1, latestSeconds: 100);
        Track(2, dueSeconds: 1, latestSeconds: 1_000);
        _asked.Add(Serial(2));
        Assert.Equal(2, Backlog(1));
        Assert.Equal((Serial(1), RefreshPriority.AboutToExpire), Priority(Take(100)));
        Assert.Equal((Serial(2), RefreshPriority.AskedRecently), Priority(Take(100)));
    }

    [Fact]
    public void Track_AgainWhileWaitingOrDue_MovesIt()
    {
        Track(1, dueSeconds: 10);
        Track(1, dueSeconds: 20);
        Assert.Equal(1, _schedule.Count);
        Assert.Null(Take(19));
        Assert.Equal(1, Backlog(20));
        Track(1, dueSeconds: 30); // signed on demand meanwhile
        Assert.Null(Take(29));
        Assert.NotNull(Take(30));
    }

    [Fact]
    public void GiveBack_KeepsItsPlace()
    {
        Track(1, dueSeconds: 1);
        Track(2, dueSeconds: 2);
        DueAnswer first = Take(5)!.Value;
        _schedule.GiveBack(first);
        Assert.Equal(Serial(1), Take(5)?.Serial);
        Assert.Equal(Serial(2), Take(5)?.Serial);
    }

    [Fact]
    public void GiveBack_TrackedOrLetGoMeanwhile_ChangesNothing()
    {
        Track(1, dueSeconds: 1);
        Track(2, dueSeconds: 1);
        DueAnswer first = Take(1)!.Value;
        DueAnswer second = Take(1)!.Value;
        Track(1, dueSeconds: 50); // a request had it signed
        _schedule.Untrack(second.Serial, 0);
        _schedule.GiveBack(first);
        _schedule.GiveBack(second);
        Assert.Null(Take(49));
        Assert.Equal(Serial(1), Take(50)?.Serial);
        Assert.Equal(1, _schedule.Count);
    }

    [Fact]
    public void Postpone_ComesUpLater_InItsRank()
    {
        Track(1, dueSeconds: 1);
        Track(2, dueSeconds: 1);
        _schedule.ChangeStatus(Serial(1));
        _schedule.Postpone(Take(1)!.Value, s_start.AddSeconds(60));
        Assert.Equal(Serial(2), Take(59)?.Serial);
        Assert.Null(Take(59));
        Assert.Equal((Serial(1), RefreshPriority.NewlyRevoked), Priority(Take(60)));
    }

    [Fact]
    public void ChangeStatus_WhileItIsSigned_ComesUpAgain()
    {
        Track(1, dueSeconds: 1);
        DueAnswer due = Take(1)!.Value;
        _schedule.ChangeStatus(Serial(1));
        Track(1, dueSeconds: 500); // what was signed may be from the old status
        Assert.Equal((due.Serial, RefreshPriority.NewlyRevoked), Priority(Take(2)));
        Track(1, dueSeconds: 500);
        Assert.Null(Take(2));
    }

    [Fact]
    public void ChangeStatus_EveryFormOfTheSerial_AndNoOther()
    {
        _schedule.Track(Serial(7), 0, Times(100));
        _schedule.Track(Serial(7), 1, Times(100));
        _schedule.Track(Serial(8), 0, Times(100));
        Assert.Equal(2, _schedule.ChangeStatus(Serial(7)));
        Assert.Equal(0, _schedule.ChangeStatus(Serial(9)));
        Assert.Equal([0, 1], TakeAll(0).Select(due => (int)due.Form).Order());
    }

    [Fact]
    public void ResignAll_EveryAnswerOnce_AndCountsDown()
    {
        for (int i = 1; i <= 100; i++)
        {
            Track(i, dueSeconds: i * 1_000);
        }

        Assert.Equal(100, _schedule.ResignAll());
        Assert.Equal(100, Backlog(0));
        for (int left = 99; left >= 50; left--)
        {
            DueAnswer due = Take(0)!.Value;
            _schedule.Track(due.Serial, due.Form, Times(200_000));
            Assert.Equal(left, _schedule.ToResign);
        }

        _schedule.Untrack(Serial(51), 0);
        Assert.Equal(49, _schedule.ToResign);
        Assert.Equal(49, TakeAll(0).Count);
    }

    [Fact]
    public void FirstEnd_IsThatOfTheFirstToEnd_AsTheyComeAndGo()
    {
        Assert.Null(_schedule.FirstEnd);
        _schedule.Track(Serial(1), 0, new AnswerTimes(s_start, s_start, s_start.AddHours(3)));
        _schedule.Track(Serial(2), 0, new AnswerTimes(s_start, s_start, s_start.AddHours(2)));
        _schedule.Track(Serial(3), 0, AnswerTimes.Missing(s_start));
        Assert.Equal(s_start.AddHours(2), _schedule.FirstEnd);
        _schedule.Track(Serial(2), 0, new AnswerTimes(s_start, s_start, s_start.AddHours(9)));
        Assert.Equal(s_start.AddHours(3), _schedule.FirstEnd);
        _schedule.Untrack(Serial(1), 0);
        Assert.Equal(s_start.AddHours(9), _schedule.FirstEnd);
    }

    [Fact]
    public void Track_BeyondTheCapacityOrTooLongASerial_IsRefusedAndCounted()
    {
        RefreshSchedule small = new(TimeSpan.FromSeconds(1), capacity: 2);
        Assert.True(small.Track(Serial(1), 0, Times(1)));
        Assert.False(small.Track(SerialNumber.FromContent([.. Enumerable.Repeat((byte)0x11, 21)]), 0, Times(1)));
        Assert.True(small.Track(SerialNumber.FromContent([.. Enumerable.Repeat((byte)0x11, 20)]), 0, Times(1)));
        Assert.False(small.Track(Serial(3), 0, Times(1)));
        Assert.True(small.Track(Serial(1), 0, Times(2)));
        Assert.Equal(2, small.Refused);
        small.Untrack(Serial(1), 0);
        Assert.True(small.Track(Serial(3), 0, Times(1)));
    }

    [Fact]
    public void IdlePeriods_AreKeptUntilTold()
    {
        _schedule.Track(Serial(1), 0, Times(1), idlePeriods: 3);
        _schedule.Track(Serial(1), 0, Times(2));
        Assert.Equal(3, Take(2)?.IdlePeriods);
    }

    [Fact]
    public void RandomUse_AgreesWithADictionary()
    {
        Random random = new(20260615);
        RefreshSchedule schedule = new(TimeSpan.FromSeconds(1), capacity: 100_000);
        Dictionary<int, int> model = [];
        int now = 0;
        for (int step = 0; step < 200_000; step++)
        {
            int key = random.Next(5_000);
            switch (random.Next(10))
            {
                case < 6:
                    int due = now + random.Next(1, 500);
                    schedule.Track(Serial(key), 0, Times(due));
                    model[key] = due;
                    break;
                case < 8:
                    schedule.Untrack(Serial(key), 0);
                    model.Remove(key);
                    break;
                default:
                    now++;
                    HashSet<int> expected = [.. model.Where(pair => pair.Value <= now).Select(pair => pair.Key)];
                    while (schedule.TryTake(s_start.AddSeconds(now), (_, _) => false, out DueAnswer taken))
                    {
                        int index = (int)new BigInteger(taken.Serial.Content, isBigEndian: true);
                        Assert.True(expected.Remove(index));
                        schedule.Untrack(taken.Serial, 0);
                        model.Remove(index);
                    }

                    Assert.Empty(expected);
                    break;
            }
        }

        Assert.Equal(model.Count, schedule.Count);
        Assert.NotEmpty(model);
    }

    [Fact]
    public void AMillionAnswers_TakeLessThan64OctetsEach()
    {
        const int Count = 1_000_000;
        byte[] octets = new byte[16];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        RefreshSchedule schedule = new(TimeSpan.FromSeconds(84), Count);
        for (int i = 0; i < Count; i++)
        {
            BitConverter.TryWriteBytes(octets.AsSpan(4), i);
            octets[0] = 0x11;
            schedule.Track(SerialNumber.FromContent(octets), 0, Times(100_000 + (i % 34_560)));
        }

        double each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Count;
        TestContext.Current.TestOutputHelper?.WriteLine($"{each:F1} octets for each of {schedule.Count:N0} answers");
        Assert.InRange(each, 48, 64);
        GC.KeepAlive(schedule);
    }

    private static SerialNumber Serial(int value) => SerialNumber.FromInteger(value);

    private static AnswerTimes Times(int dueSeconds) => new(s_start.AddSeconds(dueSeconds), s_start.AddSeconds(dueSeconds + 100_000), s_start.AddSeconds(dueSeconds + 200_000));

    private static (SerialNumber?, RefreshPriority?) Priority(DueAnswer? due) => (due?.Serial, due?.Priority);

    private void Track(int serial, int dueSeconds, int latestSeconds = 1_000_000) =>
        _schedule.Track(Serial(serial), 0, new AnswerTimes(s_start.AddSeconds(dueSeconds), s_start.AddSeconds(latestSeconds), s_start.AddSeconds(2_000_000)));

    private DueAnswer? Take(int seconds) => _schedule.TryTake(s_start.AddSeconds(seconds), (serial, _) => _asked.Contains(serial), out DueAnswer due) ? due : null;

    private List<DueAnswer> TakeAll(int seconds)
    {
        List<DueAnswer> all = [];
        while (Take(seconds) is DueAnswer due)
        {
            all.Add(due);
        }

        return all;
    }

    // Looking puts what is due into the backlog.
    private int Backlog(int seconds)
    {
        if (Take(seconds) is DueAnswer due)
        {
            _schedule.GiveBack(due);
        }

        return _schedule.Backlog;
    }
}
