using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OcspCluster.Gateway;

/// <summary>The admin listener's certificate as its files have it, or what is wrong with them.</summary>
/// <param name="Certificate">With its private key; null where something is wrong.</param>
/// <param name="Chain">The CAs that are sent behind it.</param>
/// <param name="Errors">What is wrong, in sentences.</param>
public sealed record AdminCertificateContent(X509Certificate2? Certificate, X509Certificate2Collection Chain, IReadOnlyList<string> Errors);

/// <summary>The admin listener's certificate: one that was renewed on disk is taken for new connections without a restart. Thread-safe.</summary>
public sealed partial class AdminCertificate : BackgroundService
{
    private readonly WatchedFiles _files;
    private readonly Func<AdminCertificateContent> _read;
    private readonly TimeProvider _clock;
    private readonly ILogger<AdminCertificate> _log;
    private volatile SslStreamCertificateContext _context;
    private volatile IReadOnlyList<string> _errors = [];

    /// <summary>Begins with a certificate that was read from the files.</summary>
    /// <param name="certificate">The certificate with its private key.</param>
    /// <param name="chain">The CAs that are sent behind it.</param>
    /// <param name="files">Certificate and key.</param>
    /// <param name="read">Reads them again.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of what was taken and what was not.</param>
    public AdminCertificate(
        X509Certificate2 certificate, X509Certificate2Collection chain, IReadOnlyList<string> files, Func<AdminCertificateContent> read, TimeProvider clock, ILogger<AdminCertificate> log)
    {
        _context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        _files = new WatchedFiles(files);
        _read = read;
        _clock = clock;
        _log = log;
    }

    /// <summary>What new connections are served with.</summary>
    public SslStreamCertificateContext Current => _context;

    /// <summary>What is wrong with the files as they are now; empty when nothing is.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Looks at the files once.</summary>
    public void RunOnce()
    {
        switch (_files.Look())
        {
            case WatchedFiles.Change.None:
                _errors = [];
                break;
            case WatchedFiles.Change.Settled:
                AdminCertificateContent content = _read();
                if (content.Certificate is null)
                {
                    _files.Refuse();
                    _errors = content.Errors;
                    LogRefused(string.Join("; ", content.Errors));
                    break;
                }

                _context = SslStreamCertificateContext.Create(content.Certificate, content.Chain, offline: true); // the old one goes with its last connection
                _files.Take();
                _errors = [];
                LogTaken(content.Certificate.Subject, content.Certificate.NotAfter.ToUniversalTime());
                break;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(CredentialReload.Interval, _clock, stoppingToken).ConfigureAwait(false);
                try
                {
                    RunOnce();
                }
#pragma warning disable CA1031 // Whatever a file does to its reader, the one in force is served on, and looked at again.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    LogRefused(e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
    }

    [LoggerMessage(46, LogLevel.Information, "The admin listener's certificate has changed on disk: new connections get '{Subject}', valid until {NotAfter:u}")]
    private partial void LogTaken(string subject, DateTime notAfter);

    [LoggerMessage(47, LogLevel.Error, "The admin listener's certificate has changed on disk and cannot be used; the old one is served on: {Errors}")]
    private partial void LogRefused(string errors);
}
