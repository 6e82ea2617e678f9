using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Tells webhooks and caches of what is published, each at its own pace. Thread-safe.</summary>
public sealed class Deliveries : BackgroundService
{
    private readonly DeliveryMeter _meter;
    private readonly List<Receiver> _receivers;

    /// <summary>Makes a lane for each receiver and issuer.</summary>
    /// <param name="options">The receivers.</param>
    /// <param name="gateway">Says what caches may keep.</param>
    /// <param name="directory">The issuers.</param>
    /// <param name="journal">What is published.</param>
    /// <param name="store">The journals.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of failures.</param>
    /// <param name="cursors">Where the receivers are; needed where there are some.</param>
    /// <exception cref="ArgumentException">There are receivers, and nowhere to keep where they are.</exception>
    public Deliveries(
        DeliveryOptions options, IOptions<OcspGatewayOptions> gateway, IssuerDirectory directory, PublishedJournal journal, IRevocationStore store, TimeProvider clock, ILogger<Deliveries> log,
        IDeliveryCursorStore? cursors = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(gateway);
        ArgumentNullException.ThrowIfNull(directory);
        if (cursors is null && options.Webhooks.Count + options.Purges.Count > 0)
        {
            throw new ArgumentException("There are webhooks or purges, and no store that keeps how far they are.", nameof(cursors));
        }

        _receivers = [
            .. options.Webhooks.Select(webhook => new WebhookReceiver(webhook, clock)),
            .. options.Purges.Select(purge => new PurgeReceiver(purge, directory, gateway.Value, clock)),
        ];
        _meter = new DeliveryMeter(() => Lanes);
        Lanes = [.. _receivers.SelectMany(
            receiver => directory.Issuers.Where(issuer => receiver.Follows(issuer.Id)),
            (receiver, issuer) => new DeliveryLane(receiver, issuer.Id, journal, store, cursors!, options.Holder, _meter, clock, log))];
    }

    /// <summary>What operators should know of: receivers that are paused, or further behind than they may be.</summary>
    public IReadOnlyList<string> Warnings => [.. Lanes.Select(Describe).OfType<string>()];

    /// <summary>One for each receiver and issuer that it follows.</summary>
    internal IReadOnlyList<DeliveryLane> Lanes { get; } = [];

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Lanes.Select(lane => lane.OpenFirstAsync(cancellationToken))).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
        foreach (Receiver receiver in _receivers)
        {
            receiver.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Lanes.Select(lane => Task.Run(() => lane.RunAsync(stoppingToken), CancellationToken.None)));

    private static string? Describe(DeliveryLane lane)
    {
        string who = $"{lane.Receiver.Kind} '{lane.Receiver.Options.Name}', issuer '{lane.Issuer}'";
        DeliveryReport report = lane.Report;
        return report.PausedBecause is not null ? $"{who}: paused, {report.PausedBecause}"
            : lane.Lag > lane.Receiver.Options.WarnAfter ? string.Create(CultureInfo.InvariantCulture, $"{who}: {lane.LagEntries} entries behind, the oldest of {report.OldestReceivedAt:u}; last failure: {report.LastFailure ?? "none"}")
            : null;
    }
}
