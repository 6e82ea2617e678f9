using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;

namespace OcspCluster.Silo.Tests.Coherence;

public sealed class IssuedSerialsTests
{
    [Fact]
    public void MayContain_WhatWasAdded_AndNothingElse()
    {
        IssuedSerials issued = new();
        issued.Add(1, 200_000, Enumerable.Range(0, 200_000).Select(Serial));

        Assert.Equal(200_000, issued.Count);
        Assert.All(Enumerable.Range(0, 200_000), number => Assert.True(issued.MayContain(Serial(number))));
        Assert.All(Enumerable.Range(200_000, 200_000), number => Assert.False(issued.MayContain(Serial(number))));
    }

    [Fact]
    public void Bytes_OfManyCertificates_AreAboutElevenEach()
    {
        IssuedSerials issued = new();
        issued.Add(1, 1_000_000, Enumerable.Range(0, 1_000_000).Select(Serial));

        Assert.InRange((double)issued.Bytes / issued.Count, 9, 12);
    }

    [Fact]
    public void Position_AfterAGap_StaysBeforeIt()
    {
        IssuedSerials issued = new();
        issued.Add(1, 3, [Serial(1)]);
        issued.Add(5, 6, [Serial(2)]);

        Assert.Equal(3, issued.Position);
        Assert.True(issued.MayContain(Serial(2)));
        issued.Add(2, 6, []);
        Assert.Equal(6, issued.Position);
    }

    private static SerialNumber Serial(int number) => SerialNumber.FromInteger(number);
}
