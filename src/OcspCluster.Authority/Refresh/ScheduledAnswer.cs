using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>An answer that is due, taken from a <see cref="RefreshSchedule"/>: to be tracked again when it is signed, given back when that failed, or let go.</summary>
/// <param name="Serial">The certificate.</param>
/// <param name="Form">The form of the CertID, a number that the owner of the schedule gave.</param>
/// <param name="IdlePeriods">How often in a row it was renewed without having been asked for, up to 255.</param>
/// <param name="Priority">Why it came up now.</param>
/// <param name="IsToResign">Whether it is one of a re-signing of everything.</param>
public readonly record struct DueAnswer(SerialNumber Serial, byte Form, int IdlePeriods, RefreshPriority Priority, bool IsToResign);

/// <summary>When an answer is due, when it has to be there, and when the last one ends.</summary>
/// <param name="DueAt">From then on it comes up.</param>
/// <param name="LatestAt">From then on it comes before what was asked for.</param>
/// <param name="NextUpdate">The end of the last answer.</param>
public readonly record struct AnswerTimes(DateTimeOffset DueAt, DateTimeOffset LatestAt, DateTimeOffset NextUpdate)
{
    /// <summary>Of an answer that has never been signed: due at once, and of nothing that could end.</summary>
    public static AnswerTimes Missing(DateTimeOffset now) => new(now, DateTimeOffset.MaxValue, DateTimeOffset.MaxValue);

    /// <summary>Of a signed answer.</summary>
    public static AnswerTimes Of(IssuerPolicy policy, SerialNumber serial, SignedResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);

        // RefreshAt is sooner where the certificate ends before: its answer changes then.
        return Of(policy, serial, response.ThisUpdate, response.NextUpdate, response.RefreshAt);
    }

    /// <summary>Of an answer that was kept.</summary>
    /// <param name="policy">Of the issuer.</param>
    /// <param name="kept">The answer.</param>
    /// <param name="notAfter">The end of the certificate, which changes its answer; null where it is not known.</param>
    public static AnswerTimes Of(IssuerPolicy policy, KeptResponse kept, DateTimeOffset? notAfter)
    {
        ArgumentNullException.ThrowIfNull(kept);
        return Of(policy, kept.Serial, kept.ThisUpdate, kept.NextUpdate, notAfter is DateTimeOffset end ? end + TimeSpan.FromSeconds(1) : kept.NextUpdate);
    }

    private static AnswerTimes Of(IssuerPolicy policy, SerialNumber serial, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, DateTimeOffset changesAt)
    {
        ArgumentNullException.ThrowIfNull(policy);
        DateTimeOffset due = RefreshRules.DueAt(policy, serial, thisUpdate, nextUpdate);
        return new AnswerTimes(due < changesAt ? due : changesAt, RefreshRules.LatestAt(policy.Profile, thisUpdate, nextUpdate), nextUpdate);
    }
}

/// <summary>In which list of the schedule an answer is.</summary>
internal enum ScheduleList : byte
{
    /// <summary>None: it is in somebody's hands.</summary>
    InHand,

    /// <summary>Waiting until it is due.</summary>
    Bucket,

    /// <summary>Due because its status changed.</summary>
    NewlyRevoked,

    /// <summary>Due, and asked for.</summary>
    Asked,

    /// <summary>Due.</summary>
    Cold,

    /// <summary>The place is free.</summary>
    Free,
}

/// <summary>One tracked answer: 48 octets, serial number and links included. Seconds are those since 1970.</summary>
internal struct ScheduledAnswer
{
    public uint Due;
    public uint Latest;
    public uint NextUpdate;
    public int Next;
    public int Previous;
    public int NextOfHash;
    public byte Form;
    public byte IdlePeriods;
    public ScheduleList List;
    private byte _serialAndFlags; // 5 bits of length, 2 of flags
    private SerialOctets _serial;

    private const byte LengthMask = 0b0001_1111;
    private const byte ResignFlag = 0b0010_0000;
    private const byte ChangedFlag = 0b0100_0000;

    /// <summary>The longest serial number (RFC 5280 §4.1.2.2).</summary>
    public const int MaxSerialBytes = 20;

    /// <summary>Whether it is still to be signed in a re-signing of everything.</summary>
    public bool IsToResign { readonly get => (_serialAndFlags & ResignFlag) != 0; set => Set(ResignFlag, value); }

    /// <summary>Whether its status changed while it was in somebody's hands.</summary>
    public bool HasChanged { readonly get => (_serialAndFlags & ChangedFlag) != 0; set => Set(ChangedFlag, value); }

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Serial => ((ReadOnlySpan<byte>)_serial)[..(_serialAndFlags & LengthMask)];

    public void SetSerial(ReadOnlySpan<byte> serial)
    {
        _serialAndFlags = (byte)serial.Length;
        serial.CopyTo(_serial);
    }

    private void Set(byte flag, bool value) => _serialAndFlags = (byte)(value ? _serialAndFlags | flag : _serialAndFlags & ~flag);

    [InlineArray(MaxSerialBytes)]
    private struct SerialOctets
    {
        private byte _first;
    }
}
