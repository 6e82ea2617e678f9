using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Storage;
using Orleans.Concurrency;
using Orleans.Placement;

namespace OcspCluster.Silo.Refresh;

/// <summary>An answer that a gateway was given.</summary>
[GenerateSerializer]
[Immutable]
internal sealed record NotedAnswer(
    [property: Id(0)] SerialNumber Serial, [property: Id(1)] byte[] CertId, [property: Id(2)] DateTimeOffset DueAt, [property: Id(3)] DateTimeOffset LatestAt, [property: Id(4)] DateTimeOffset NextUpdate);

/// <summary>One part of an issuer's answers. Key: <see cref="SerialPartitions.KeyOf"/>.</summary>
internal interface IRefreshPartitionGrain : IGrainWithStringKey
{
    /// <summary>A gateway was given an answer. One that is lost on the way is learnt from what is kept.</summary>
    [OneWay]
    Task NoteAsync(NotedAnswer answer);

    /// <summary>Statuses changed.</summary>
    [OneWay]
    Task AnnounceAsync(IReadOnlyList<SerialNumber> serials);

    /// <summary>Live, wherever you did before.</summary>
    /// <returns>How many answers it keeps fresh, and how often it had one renewed.</returns>
    Task<PartitionState> WakeAsync();
}

/// <summary>What a partition tells of itself.</summary>
/// <param name="Tracked">Answers that it keeps fresh.</param>
/// <param name="Refreshed">How many were renewed since it became active.</param>
/// <param name="IsLoaded">Whether it knows all that was kept.</param>
[GenerateSerializer]
[Immutable]
internal sealed record PartitionState([property: Id(0)] int Tracked, [property: Id(1)] long Refreshed, [property: Id(2)] bool IsLoaded);

/// <summary>Gives a part its place, somewhere among the silos that sign, and its turns. Two activations at once sign nothing twice: the certificate's actor signs only what is due.</summary>
[Reentrant]
[RandomPlacement]
internal sealed class RefreshPartitionGrain(
    IssuerDirectory directory, CoherenceDirectory coherence, IRevocationStore store, IGrainFactory grains, OcspSiloOptions options, TimeProvider clock,
    [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider leaseClock, ILogger<RefreshPartitionGrain> log, IResponseStore? kept = null) : Grain, IRefreshPartitionGrain
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(200); // what the pace holds

    private RefreshPartition _partition = null!; // made in OnActivateAsync, before the first call

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        (IssuerId id, int number) = SerialPartitions.Parse(this.GetPrimaryKeyString());
        Issuer issuer = directory.Issuers.FirstOrDefault(one => one.Id == id) ?? throw new KeyNotFoundException($"There is no issuer '{id}' here.");
        _partition = new RefreshPartition(issuer, number, (serial, certId, dueBy) => AskAsync(id, serial, certId, dueBy), store, kept as RedisResponseStore, clock, log);
        this.RegisterGrainTimer(_ => _partition.RunOnceAsync(), new GrainTimerCreationOptions(s_tick, s_tick) { Interleave = true, KeepAlive = true });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task NoteAsync(NotedAnswer answer)
    {
        _partition.Note(answer.Serial, answer.CertId, new AnswerTimes(answer.DueAt, answer.LatestAt, answer.NextUpdate));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task AnnounceAsync(IReadOnlyList<SerialNumber> serials)
    {
        _partition.Announce(serials);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<PartitionState> WakeAsync()
    {
        await _partition.LoadAsync();
        return new PartitionState(_partition.Tracked, _partition.Refreshed, _partition.IsLoaded);
    }

    private async Task<CertificateReply> AskAsync(IssuerId issuer, SerialNumber serial, byte[] certId, DateTimeOffset dueBy)
    {
        CertificateQuestion question = new(certId, Preferred: null, NewerThan: null, coherence.Find(issuer)!.Coherence.Heard, dueBy);
        Task<CertificateReply> asked = grains.GetGrain<ICertificateGrain>(new CertificateKey(issuer, serial).ToString()).AnswerAsync(question);
        asked.Ignore(); // when it is given up
        return await asked.WaitAsync(options.CallDeadline * 4, leaseClock); // nobody waits for it
    }
}
