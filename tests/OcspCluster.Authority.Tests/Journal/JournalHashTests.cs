using OcspCluster.Protocol;

namespace OcspCluster.Authority.Tests.Journal;

public sealed class JournalHashTests
{
    private static readonly IssuerId s_issuer = new("issuing-ca-1");
    private static readonly DateTimeOffset s_noon = new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567);

    private static readonly JournalEntry s_first = Entry(
        1, new RevocationEvent { Id = "a", Serial = SerialNumber.FromInteger(1), Kind = EventKind.Issued, At = s_noon, NotAfter = s_noon.AddYears(1) }, Submitter.Local);

    private static readonly JournalEntry s_second = Entry(
        2,
        new RevocationEvent
        {
            Id = "日本語",
            Serial = SerialNumber.FromInteger(255),
            Kind = EventKind.Revoked,
            At = s_noon,
            Reason = RevocationReason.KeyCompromise,
            InvalidityDate = s_noon.AddDays(-3),
        },
        new Submitter("ca-one", "192.0.2.7"));

    [Fact] // Computed from the format's description by a program of another language.
    public void Compute_OfKnownEntries_IsTheKnownDigest()
    {
        Digest first = JournalHash.Compute(s_issuer, s_first, default);
        Digest second = JournalHash.Compute(s_issuer, s_second, first);

        Assert.Equal("d417753f251c883a25a5ecba26fff3f04ac5058cc9a1b5506efc7d8d75494ae5", first.ToString());
        Assert.Equal("7e816be08293af27bd8421550fb602565dfe4a739523fa30ea43d5691a6614a5", second.ToString());
    }

    [Fact]
    public void Compute_OfAnyOtherField_IsAnotherDigest()
    {
        RevocationEvent @event = s_second.Event;
        CertificateStatus status = s_second.Status;
        JournalEntry[] others =
        [
            s_second,
            s_second with { Position = 3 },
            s_second with { Event = @event with { Id = "日本" } },
            s_second with { Event = @event with { Id = "日本語\0" } },
            s_second with { Event = @event with { Serial = SerialNumber.FromInteger(-1) } },
            s_second with { Event = @event with { Kind = EventKind.Held } },
            s_second with { Event = @event with { At = s_noon.AddTicks(1) } },
            s_second with { Event = @event with { Reason = null } },
            s_second with { Event = @event with { Reason = RevocationReason.Unspecified } },
            s_second with { Event = @event with { InvalidityDate = null } },
            s_second with { Event = @event with { InvalidityDate = null, NotAfter = @event.InvalidityDate } },
            s_second with { ReceivedAt = s_noon },
            s_second with { Submitter = Submitter.Local },
            s_second with { Submitter = Submitter.Unknown },
            s_second with { Submitter = new Submitter("ca-one", null) },
            s_second with { Submitter = new Submitter(null, "ca-one") },
            s_second with { Submitter = new Submitter("ca-one192", ".0.2.7") },
            s_second with { Status = status with { State = CertificateState.Held } },
            s_second with { Status = status with { RevocationTime = null } },
            s_second with { Status = status with { Reason = null } },
            s_second with { Status = status with { InvalidityDate = null } },
            s_second with { Status = status with { NotAfter = s_noon } },
            s_second with { Status = status with { RecordedAt = null } },
        ];

        Digest[] digests =
        [
            .. others.Select(entry => JournalHash.Compute(s_issuer, entry, default)),
            JournalHash.Compute(s_issuer, s_second, Digest.Of([])),
            JournalHash.Compute(new IssuerId("issuing-ca-2"), s_second, default),
        ];

        Assert.Equal(digests.Length, digests.Distinct().Count());
    }

    [Fact]
    public void Compute_OfTheSameInstantElsewhereAndOfAnotherHold_IsTheSameDigest()
    {
        JournalEntry same = s_second with { ReceivedAt = s_second.ReceivedAt.ToOffset(TimeSpan.FromHours(5)), Status = s_second.Status with { HoldsFor = TimeSpan.FromDays(1) } };

        Assert.Equal(JournalHash.Compute(s_issuer, s_second, default), JournalHash.Compute(s_issuer, same, default));
    }

    [Fact]
    public void Compute_OfTheLongestEntry_HasRoomForIt()
    {
        JournalEntry longest = s_second with
        {
            Event = s_second.Event with { Id = new string('\uFFFF', 200), Serial = SerialNumber.FromContent([0x01, .. new byte[5000]]) },
            Submitter = new Submitter(new string('\uFFFF', 100), new string('\uFFFF', 64)),
        };

        Assert.NotEqual(JournalHash.Compute(s_issuer, s_second, default), JournalHash.Compute(s_issuer, longest, default));
    }

    [Fact]
    public void Submitter_OfWhatCannotBeRecorded_IsRefused()
    {
        // Not inline data: attributes cannot hold unpaired surrogates.
        foreach (string text in new[] { "", "\uD800", "a\uDC00b", "\uDC00\uD800" })
        {
            Assert.Throws<ArgumentException>(() => new Submitter(text, null));
            Assert.Throws<ArgumentException>(() => new Submitter(null, text));
        }
    }

    [Fact]
    public void Submitter_BeyondItsBounds_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Submitter(new string('x', Submitter.MaxCredentialLength + 1), null));
        Assert.Throws<ArgumentException>(() => new Submitter(null, new string('x', Submitter.MaxRemoteAddressLength + 1)));
        Assert.Equal("\U0001F510\uFFFD", new Submitter("\U0001F510\uFFFD", null).Credential);
    }

    [Fact]
    public void Digest_InHexadecimal_IsReadBack()
    {
        Digest digest = Digest.Of("abc"u8);

        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", digest.ToString()); // FIPS 180-2, B.1
        Assert.True(Digest.TryParse(digest.ToString(), out Digest read));
        Assert.Equal(digest, read);
        Assert.All([null, "", "ba78", digest.ToString()[1..] + "g", digest + "00"], text => Assert.False(Digest.TryParse(text, out _)));
        Assert.Throws<ArgumentException>(() => new Digest(new byte[31]));
    }

    private static JournalEntry Entry(long position, RevocationEvent @event, Submitter submitter)
    {
        CertificateStatus status = StatusRules.Apply(null, @event, s_noon.AddSeconds(1)).Status!;
        return new JournalEntry(position, @event, s_noon.AddSeconds(1), status with { Position = position }) { Submitter = submitter };
    }
}
