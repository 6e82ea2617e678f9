using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests;

public sealed class ClockGuardTests
{
    private readonly TestClock _clock = new();
    private readonly ClockGuard _guard;

    public ClockGuardTests() => _guard = new ClockGuard(_clock);

    [Theory]
    [InlineData(0, ClockState.Sound)]
    [InlineData(-59, ClockState.Sound)]
    [InlineData(-61, ClockState.JumpedBack)]
    [InlineData(-86_400 * 365, ClockState.JumpedBack)]
    [InlineData(86_400, ClockState.Sound)] // a machine that slept
    public void State_AfterAStep(int seconds, ClockState expected)
    {
        _clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(ClockState.Sound, _guard.State);
        Step(seconds);
        Assert.Equal(expected, _guard.State);
        Assert.Equal(expected == ClockState.Sound, _guard.Problem is null);
    }

    [Fact]
    public void State_JumpedBackWithoutBeingLookedAtBefore_IsSeenByTheMonotonicClock()
    {
        _clock.Advance(TimeSpan.FromHours(3));
        Step(-2 * 3600); // still after the start of the process
        Assert.Equal(ClockState.JumpedBack, _guard.State);
    }

    [Fact]
    public void State_JumpedBack_UntilTheClockIsWhereItWas()
    {
        Step(-600);
        Assert.Equal(ClockState.JumpedBack, _guard.State);
        _clock.Advance(TimeSpan.FromSeconds(500));
        Assert.Equal(ClockState.JumpedBack, _guard.State);
        _clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(ClockState.Sound, _guard.State);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(ClockState.Sound, _guard.State);
    }

    [Fact]
    public void State_SetRightAfterAJump_IsSoundAtOnce()
    {
        Step(-86_400);
        Assert.Equal(ClockState.JumpedBack, _guard.State);
        Step(86_400);
        Assert.Equal(ClockState.Sound, _guard.State);
    }

    [Fact]
    public void State_ManySmallStepsBack_AreOneLargeOne()
    {
        int steps = 0;
        while (_guard.State == ClockState.Sound && steps < 100)
        {
            Step(-10);
            steps++;
        }

        Assert.Equal(7, steps);
    }

    [Fact]
    public void State_SlewedClockOverYears_IsSound()
    {
        for (int day = 0; day < 1_000; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            Step(-20); // a quartz that is fast by 230 ppm, set right every day
            Assert.Equal(ClockState.Sound, _guard.State);
        }
    }

    [Theory]
    [InlineData(-30, ClockState.Sound)]
    [InlineData(30, ClockState.Sound)] // the journal's newest entry is half a minute ahead of us
    [InlineData(90, ClockState.BehindJournal)]
    [InlineData(-5L * 365 * 86_400, ClockState.Sound)]
    [InlineData((-5L * 365 * 86_400) - 1, ClockState.FarAfterJournal)]
    public void State_ByTheJournal(long recordedAfterSeconds, ClockState expected)
    {
        DateTimeOffset recorded = _clock.GetUtcNow().AddSeconds(recordedAfterSeconds);
        _guard.NoteRecorded(recorded);
        _guard.NoteRecorded(recorded.AddYears(-1)); // another issuer's older one
        Assert.Equal(expected, _guard.State);
    }

    [Fact]
    public void Accept_WhatAnOperatorHasLookedAt_IsSound_AndWatchedOn()
    {
        _guard.NoteRecorded(_clock.GetUtcNow().AddYears(2));
        Step(-86_400);
        Assert.NotEqual(ClockState.Sound, _guard.State);
        _guard.Accept();
        Assert.Equal(ClockState.Sound, _guard.State);
        Step(-86_400);
        Assert.Equal(ClockState.JumpedBack, _guard.State);
    }

    [Fact]
    public void Tolerances_OutOfBounds_AreNamed()
    {
        Assert.Empty(ClockTolerances.Default.FindErrors());
        Assert.Equal(2, new ClockTolerances { Back = TimeSpan.Zero, Silence = TimeSpan.FromHours(1) }.FindErrors().Count());
    }

    private void Step(long seconds) => _clock.SetUtcNow(_clock.GetUtcNow().AddSeconds(seconds));
}
