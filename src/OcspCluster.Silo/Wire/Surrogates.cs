using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Wire;

// The rules know no Orleans: how their values travel between silos is said here.

/// <summary>A serial number on the wire: its content octets.</summary>
[GenerateSerializer]
[Immutable]
internal struct SerialNumberSurrogate
{
    [Id(0)]
    public byte[]? Content;
}

/// <inheritdoc cref="SerialNumberSurrogate"/>
[RegisterConverter]
internal sealed class SerialNumberConverter : IConverter<SerialNumber, SerialNumberSurrogate>
{
    /// <inheritdoc/>
    public SerialNumber ConvertFromSurrogate(in SerialNumberSurrogate surrogate) => surrogate.Content is null ? default : SerialNumber.FromContent(surrogate.Content);

    /// <inheritdoc/>
    public SerialNumberSurrogate ConvertToSurrogate(in SerialNumber value) => new() { Content = value.IsEmpty ? null : value.Content.ToArray() };
}

/// <summary>An issuer's name on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct IssuerIdSurrogate
{
    [Id(0)]
    public string Value;
}

/// <inheritdoc cref="IssuerIdSurrogate"/>
[RegisterConverter]
internal sealed class IssuerIdConverter : IConverter<IssuerId, IssuerIdSurrogate>
{
    /// <inheritdoc/>
    public IssuerId ConvertFromSurrogate(in IssuerIdSurrogate surrogate) => new(surrogate.Value);

    /// <inheritdoc/>
    public IssuerIdSurrogate ConvertToSurrogate(in IssuerId value) => new() { Value = value.ToString() };
}

/// <summary>A submitter on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct SubmitterSurrogate
{
    [Id(0)]
    public string? Credential;

    [Id(1)]
    public string? RemoteAddress;
}

/// <inheritdoc cref="SubmitterSurrogate"/>
[RegisterConverter]
internal sealed class SubmitterConverter : IConverter<Submitter, SubmitterSurrogate>
{
    /// <inheritdoc/>
    public Submitter ConvertFromSurrogate(in SubmitterSurrogate surrogate) => new(surrogate.Credential, surrogate.RemoteAddress);

    /// <inheritdoc/>
    public SubmitterSurrogate ConvertToSurrogate(in Submitter value) => new() { Credential = value.Credential, RemoteAddress = value.RemoteAddress };
}

/// <summary>An event on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct RevocationEventSurrogate
{
    [Id(0)]
    public string Id;

    [Id(1)]
    public SerialNumber Serial;

    [Id(2)]
    public EventKind Kind;

    [Id(3)]
    public DateTimeOffset At;

    [Id(4)]
    public RevocationReason? Reason;

    [Id(5)]
    public DateTimeOffset? InvalidityDate;

    [Id(6)]
    public DateTimeOffset? NotAfter;
}

/// <inheritdoc cref="RevocationEventSurrogate"/>
[RegisterConverter]
internal sealed class RevocationEventConverter : IConverter<RevocationEvent, RevocationEventSurrogate>
{
    /// <inheritdoc/>
    public RevocationEvent ConvertFromSurrogate(in RevocationEventSurrogate surrogate) => new()
    {
        Id = surrogate.Id,
        Serial = surrogate.Serial,
        Kind = surrogate.Kind,
        At = surrogate.At,
        Reason = surrogate.Reason,
        InvalidityDate = surrogate.InvalidityDate,
        NotAfter = surrogate.NotAfter,
    };

    /// <inheritdoc/>
    public RevocationEventSurrogate ConvertToSurrogate(in RevocationEvent value) => new()
    {
        Id = value.Id,
        Serial = value.Serial,
        Kind = value.Kind,
        At = value.At,
        Reason = value.Reason,
        InvalidityDate = value.InvalidityDate,
        NotAfter = value.NotAfter,
    };
}

/// <summary>What became of an event, on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct EventOutcomeSurrogate
{
    [Id(0)]
    public string EventId;

    [Id(1)]
    public EventOutcomeKind Kind;

    [Id(2)]
    public EventRefusal? Refusal;

    [Id(3)]
    public long Position;
}

/// <inheritdoc cref="EventOutcomeSurrogate"/>
[RegisterConverter]
internal sealed class EventOutcomeConverter : IConverter<EventOutcome, EventOutcomeSurrogate>
{
    /// <inheritdoc/>
    public EventOutcome ConvertFromSurrogate(in EventOutcomeSurrogate surrogate) => new(surrogate.EventId, surrogate.Kind, surrogate.Refusal, surrogate.Position);

    /// <inheritdoc/>
    public EventOutcomeSurrogate ConvertToSurrogate(in EventOutcome value) =>
        new() { EventId = value.EventId, Kind = value.Kind, Refusal = value.Refusal, Position = value.Position };
}

/// <summary>A status on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct CertificateStatusSurrogate
{
    [Id(0)]
    public CertificateState State;

    [Id(1)]
    public DateTimeOffset? RevocationTime;

    [Id(2)]
    public RevocationReason? Reason;

    [Id(3)]
    public DateTimeOffset? InvalidityDate;

    [Id(4)]
    public DateTimeOffset? NotAfter;

    [Id(5)]
    public DateTimeOffset? RecordedAt;

    [Id(6)]
    public long Position;

    [Id(7)]
    public TimeSpan HoldsFor;
}

/// <inheritdoc cref="CertificateStatusSurrogate"/>
[RegisterConverter]
internal sealed class CertificateStatusConverter : IConverter<CertificateStatus, CertificateStatusSurrogate>
{
    /// <inheritdoc/>
    public CertificateStatus ConvertFromSurrogate(in CertificateStatusSurrogate surrogate) => new()
    {
        State = surrogate.State,
        RevocationTime = surrogate.RevocationTime,
        Reason = surrogate.Reason,
        InvalidityDate = surrogate.InvalidityDate,
        NotAfter = surrogate.NotAfter,
        RecordedAt = surrogate.RecordedAt,
        Position = surrogate.Position,
        HoldsFor = surrogate.HoldsFor,
    };

    /// <inheritdoc/>
    public CertificateStatusSurrogate ConvertToSurrogate(in CertificateStatus value) => new()
    {
        State = value.State,
        RevocationTime = value.RevocationTime,
        Reason = value.Reason,
        InvalidityDate = value.InvalidityDate,
        NotAfter = value.NotAfter,
        RecordedAt = value.RecordedAt,
        Position = value.Position,
        HoldsFor = value.HoldsFor,
    };
}

/// <summary>A signed answer on the wire.</summary>
[GenerateSerializer]
[Immutable]
internal struct SignedResponseSurrogate
{
    [Id(0)]
    public byte[] Encoded;

    [Id(1)]
    public DateTimeOffset ProducedAt;

    [Id(2)]
    public DateTimeOffset ThisUpdate;

    [Id(3)]
    public DateTimeOffset NextUpdate;

    [Id(4)]
    public DateTimeOffset RefreshAt;

    [Id(5)]
    public TimeSpan MaxAge;

    [Id(6)]
    public AnswerKind Says;
}

/// <inheritdoc cref="SignedResponseSurrogate"/>
[RegisterConverter]
internal sealed class SignedResponseConverter : IConverter<SignedResponse, SignedResponseSurrogate>
{
    /// <inheritdoc/>
    public SignedResponse ConvertFromSurrogate(in SignedResponseSurrogate surrogate) =>
        new(surrogate.Encoded, surrogate.ProducedAt, surrogate.ThisUpdate, surrogate.NextUpdate, surrogate.RefreshAt, surrogate.MaxAge, surrogate.Says);

    /// <inheritdoc/>
    public SignedResponseSurrogate ConvertToSurrogate(in SignedResponse value) => new()
    {
        Encoded = value.Encoded.ToArray(),
        ProducedAt = value.ProducedAt,
        ThisUpdate = value.ThisUpdate,
        NextUpdate = value.NextUpdate,
        RefreshAt = value.RefreshAt,
        MaxAge = value.MaxAge,
        Says = value.Says,
    };
}
