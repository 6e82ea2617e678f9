using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Looks at the files and the ends of all issuers' credentials while the program runs. Thread-safe.</summary>
/// <param name="reloads">One for each issuer; disposed with this.</param>
/// <param name="clock">The clock.</param>
/// <param name="log">Hears of faults.</param>
public sealed partial class CredentialWatch(IReadOnlyList<CredentialReload> reloads, TimeProvider clock, ILogger<CredentialWatch> log) : BackgroundService
{
    /// <summary>What operators should know of, each with its issuer: files that cannot be used, and certificates that end soon.</summary>
    public IReadOnlyList<string> Warnings =>
        [.. reloads.SelectMany(reload => reload.Errors.Concat(reload.Warnings).Select(warning => $"issuer '{reload.Issuer.Id}': {warning}"))];

    /// <summary>That of an issuer; null when there is none such.</summary>
    public CredentialReload? Find(IssuerId issuer) => reloads.FirstOrDefault(reload => reload.Issuer.Id == issuer);

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (CredentialReload reload in reloads)
        {
            reload.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(CredentialReload.Interval, clock, stoppingToken).ConfigureAwait(false);
                foreach (CredentialReload reload in reloads)
                {
                    RunOnce(reload);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
    }

    private void RunOnce(CredentialReload reload)
    {
        try
        {
            reload.RunOnce();
        }
#pragma warning disable CA1031 // Whatever a file does to its reader, the others are watched on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(reload.Issuer.Id.ToString(), e.Message, e);
        }
    }

    [LoggerMessage(45, LogLevel.Error, "Issuer {Issuer}: looking at its credentials met a fault: {Reason}")]
    private partial void LogFault(string issuer, string reason, Exception exception);
}
