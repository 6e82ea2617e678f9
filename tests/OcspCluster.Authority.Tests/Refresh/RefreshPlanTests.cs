namespace OcspCluster.Authority.Tests;

public sealed class RefreshPlanTests
{
    [Fact]
    public void Compute_AMillionCertificates_ByHand()
    {
        IssuerPolicy policy = new() { Presign = Presign.All, Validity = TimeSpan.FromDays(4), RefreshAt = 0.5, RefreshSignaturesPerSecond = 500 };
        RefreshPlan plan = RefreshPlan.Compute(1_000_000, policy, measuredPerSecond: 2_000, responseBytes: 800, commonBytes: 500);
        Assert.Equal(TimeSpan.FromHours(43.2), plan.Period); // 48 hours, less half of a window of 9.6
        Assert.Equal(6.43, plan.NeededPerSecond, 2);
        Assert.Equal(28.94, plan.PeakPerSecond, 2); // all in 9.6 hours
        Assert.Equal(500, plan.AvailablePerSecond);
        Assert.Equal(77.76, plan.Headroom, 2);
        Assert.Equal(480_000_000, plan.StorageBytes);
        Assert.Equal(TimeSpan.FromSeconds(2_000), plan.FullResign);
        Assert.Equal(TimeSpan.FromSeconds(500), plan.EmergencyResign);
        Assert.True(plan.IsSufficient);
    }

    [Theory]
    [InlineData(Presign.All, 100, 1_000_000, true)] // the budget
    [InlineData(Presign.All, 5, 1_000_000, false)] // the signer
    [InlineData(Presign.All, 7.5, 1_000_000, false)] // enough on average, and nothing left to catch up with
    [InlineData(Presign.OnDemand, 7.5, 1_000_000, true)]
    [InlineData(Presign.Asked, 0.1, 0, true)]
    public void IsSufficient_ByWhatTheSignerMakes(Presign presign, double measured, long certificates, bool expected) =>
        Assert.Equal(expected, RefreshPlan.Compute(certificates, new IssuerPolicy { Presign = presign }, measured, 500, 0).IsSufficient);

    [Fact]
    public void Compute_OnDemand_NoBudgetIsInTheWay() =>
        Assert.Equal(9_000, RefreshPlan.Compute(1, new IssuerPolicy { Presign = Presign.OnDemand, RefreshSignaturesPerSecond = 1 }, 9_000, 500, 0).AvailablePerSecond);
}
