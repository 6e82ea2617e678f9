using System.Net;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Admin;

public sealed class FailedAttemptsTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public void Add_BeyondTheRate_SaysHowLongToWait_ForThatAddressOnly()
    {
        FailedAttempts attempts = new(2, 100, _clock);
        Assert.Null(attempts.Add(IPAddress.Parse("192.0.2.1")));
        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Null(attempts.Add(IPAddress.Parse("192.0.2.1")));
        Assert.Equal(TimeSpan.FromSeconds(40), attempts.Add(IPAddress.Parse("192.0.2.1")));
        Assert.Equal(TimeSpan.FromSeconds(40), attempts.Add(IPAddress.Parse("::ffff:192.0.2.1")));
        Assert.Null(attempts.Add(IPAddress.Parse("192.0.2.2")));
        Assert.Null(attempts.Add(null));
        _clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(attempts.Add(IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void Address_IsForgottenAfterAMinute()
    {
        FailedAttempts attempts = new(2, 100, _clock);
        attempts.Add(IPAddress.Parse("192.0.2.1"));
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, attempts.Count);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, attempts.Count);
    }

    [Fact]
    public void Addresses_OfOneIPv6Network_CountAsOne()
    {
        FailedAttempts attempts = new(1, 100, _clock);
        Assert.Null(attempts.Add(IPAddress.Parse("2001:db8:1:2::1")));
        Assert.NotNull(attempts.Add(IPAddress.Parse("2001:db8:1:2:ffff::9")));
        Assert.Null(attempts.Add(IPAddress.Parse("2001:db8:1:3::1")));
    }

    [Fact]
    public void Addresses_BeyondTheCapacity_PushOutTheOldest_AndTheTableStaysBounded()
    {
        FailedAttempts attempts = new(1, 100, _clock);
        for (int i = 0; i < 10_000; i++)
        {
            attempts.Add(new IPAddress(i));
        }

        Assert.Equal(100, attempts.Count);
        Assert.NotNull(attempts.Add(new IPAddress(9_999L)));
        Assert.Null(attempts.Add(new IPAddress(1L)));
    }
}
