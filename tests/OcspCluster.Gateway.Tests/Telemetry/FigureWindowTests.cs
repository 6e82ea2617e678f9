using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Telemetry;

/// <summary>Rates over ten seconds and percentiles over a minute, of totals that are sampled every second.</summary>
public sealed class FigureWindowTests
{
    private readonly TestClock _clock = new();
    private readonly FigureWindow _window;
    private long _events;

    public FigureWindowTests() => _window = new FigureWindow(_clock, Now());

    [Fact]
    public void Before_ASpan_IsTheLatestThatIsAsOld()
    {
        Run(seconds: 120, eventsPerSecond: 3);
        Totals now = Now();
        Assert.Equal(TimeSpan.FromSeconds(10), Age(_window.Before(now, FigureWindow.RateSpan), now));
        Assert.Equal(TimeSpan.FromSeconds(60), Age(_window.Before(now, FigureWindow.PercentileSpan), now));
    }

    [Fact]
    public void Before_ASpanThatIsLongerThanTheHostHasRun_IsItsStart()
    {
        Run(seconds: 4, eventsPerSecond: 3);
        Totals now = Now();
        Assert.Equal(TimeSpan.FromSeconds(4), Age(_window.Before(now, FigureWindow.RateSpan), now));
    }

    [Fact]
    public void RateOf_WhatComesSteadily_IsThat()
    {
        Run(seconds: 90, eventsPerSecond: 3);
        Assert.Equal(3, Rate());
        Run(seconds: 5, eventsPerSecond: 9); // half of the ten seconds
        Assert.Equal(6, Rate());
        Run(seconds: 10, eventsPerSecond: 0);
        Assert.Equal(0, Rate());
    }

    [Fact]
    public void RateOf_LessThanASecond_IsAsIfItHadBeenOne()
    {
        _events = 7;
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(7, Rate());
    }

    [Fact]
    public void LongestPublication_IsForgottenAfterAMinute()
    {
        Assert.Null(_window.LongestPublication(Now()));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _window.Add(Now() with { LongestPublication = TimeSpan.FromMilliseconds(40) });
        Run(seconds: 59, eventsPerSecond: 0);
        Assert.Equal(TimeSpan.FromMilliseconds(40), _window.LongestPublication(Now()));
        Assert.Equal(TimeSpan.FromMilliseconds(70), _window.LongestPublication(Now() with { LongestPublication = TimeSpan.FromMilliseconds(70) }));
        Run(seconds: 2, eventsPerSecond: 0);
        Assert.Null(_window.LongestPublication(Now()));
    }

    private void Run(int seconds, int eventsPerSecond)
    {
        for (int i = 0; i < seconds; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            _events += eventsPerSecond;
            _window.Add(Now());
        }
    }

    private double Rate()
    {
        Totals now = Now();
        Totals before = _window.Before(now, FigureWindow.RateSpan);
        return _window.RateOf(now.Events - before.Events, before, now);
    }

    private TimeSpan Age(Totals before, Totals now) => _clock.GetElapsedTime(before.Timestamp, now.Timestamp);

    private Totals Now() => new(_clock.GetTimestamp(), [], [], Signatures: 0, _events, [], LongestPublication: null);
}
