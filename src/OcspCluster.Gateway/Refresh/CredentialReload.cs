using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The credentials of an issuer as its files have them now, or what is wrong with the files.</summary>
/// <param name="Credentials">Who is to sign; empty where something is wrong.</param>
/// <param name="Errors">What is wrong, in sentences; empty when nothing is.</param>
public sealed record CredentialFilesContent(IReadOnlyList<SigningCredential> Credentials, IReadOnlyList<string> Errors);

/// <summary>
/// Has an issuer's keys and certificates that were replaced on disk sign without a restart. For one caller at a time, but for its properties.
/// </summary>
/// <remarks>
/// A change of the files is taken when it has stood for one interval (<see cref="WatchedFiles"/>). What was read is judged as at start (<see cref="IssuerRules"/>: every key signs a probe, so the first
/// answer is not its first signature) before it signs; what fails is told once, and the old credentials go on.
/// </remarks>
public sealed partial class CredentialReload : IDisposable
{
    /// <summary>How often the files are looked at.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // Long after the last signature that was under way when others took over.
    private static readonly TimeSpan s_retireAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_warnEvery = TimeSpan.FromDays(1);

    private readonly WatchedFiles _files;
    private readonly Func<CredentialFilesContent> _read;
    private readonly ResponseFactory _factory;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly List<(SigningCredential Credential, DateTimeOffset At)> _retired = [];
    private DateTimeOffset _warnedAt = DateTimeOffset.MinValue;
    private volatile IReadOnlyList<string> _errors = [];
    private volatile IReadOnlyList<string> _warnings = [];

    /// <summary>Begins with the files as they are: they are what the issuer's credentials were read from.</summary>
    /// <param name="issuer">Whose credentials.</param>
    /// <param name="files">Certificates, keys and passwords. None: only the ends of certificates are watched.</param>
    /// <param name="read">Reads them all again.</param>
    /// <param name="factory">Forgets those that are replaced.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of what was taken and what was not.</param>
    public CredentialReload(Issuer issuer, IReadOnlyList<string> files, Func<CredentialFilesContent> read, ResponseFactory factory, TimeProvider clock, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(clock);
        Issuer = issuer;
        _files = new WatchedFiles(files);
        _read = read;
        _factory = factory;
        _clock = clock;
        _log = log;
        _warnings = [.. CredentialRules.FindWarnings(issuer, clock.GetUtcNow())];
    }

    /// <summary>Whose credentials.</summary>
    public Issuer Issuer { get; }

    /// <summary>What is wrong with the files as they are now; empty when the issuer signs by them.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>What ends within 30 days and is not taken over from.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>How often others took over.</summary>
    public int Replacements { get; private set; }

    /// <summary>Looks at the files and at the ends of certificates once.</summary>
    public void RunOnce()
    {
        DateTimeOffset now = _clock.GetUtcNow();
        switch (_files.Look())
        {
            case WatchedFiles.Change.None:
                _errors = [];
                break;
            case WatchedFiles.Change.Settled:
                Take(now);
                break;
        }

        Retire(now);
        Warn(now);
    }

    /// <summary>Disposes those that were replaced. The ones in force are their owner's.</summary>
    public void Dispose() => Retire(DateTimeOffset.MaxValue);

    private void Take(DateTimeOffset now)
    {
        CredentialFilesContent content = _read();
        IReadOnlyList<string> errors = content.Errors;
        if (errors.Count == 0)
        {
            errors = content.Credentials.Count == 0
                ? ["the files name no credential"]
                : IssuerRules.FindErrors(new Issuer(Issuer.Id, Issuer.Certificates, content.Credentials, Issuer.Policy, Issuer.Requestors), now);
        }

        if (errors.Count > 0)
        {
            foreach (SigningCredential credential in content.Credentials)
            {
                credential.Dispose();
            }

            _errors = errors;
            _files.Refuse();
            LogRefused(Issuer.Id, string.Join("; ", errors));
            return;
        }

        foreach (SigningCredential old in Issuer.ReplaceCredentials(content.Credentials))
        {
            _retired.Add((old, now + s_retireAfter));
        }

        _files.Take();
        _errors = [];
        _warnedAt = DateTimeOffset.MinValue;
        Replacements++;
        LogTaken(Issuer.Id, string.Join(", ", content.Credentials.Select(credential => $"'{credential.Certificate.Subject}' until {credential.NotAfter:u}")));
    }

    private void Retire(DateTimeOffset now)
    {
        foreach ((SigningCredential credential, DateTimeOffset _) in _retired.Where(retired => retired.At <= now))
        {
            _factory.Retire(credential);
            credential.Dispose();
        }

        _retired.RemoveAll(retired => retired.At <= now);
    }

    private void Warn(DateTimeOffset now)
    {
        _warnings = [.. CredentialRules.FindWarnings(Issuer, now)];
        if (_warnings.Count > 0 && now - _warnedAt >= s_warnEvery)
        {
            _warnedAt = now;
            foreach (string warning in _warnings)
            {
                LogWarning(Issuer.Id, warning);
            }
        }
    }

    [LoggerMessage(40, LogLevel.Information, "Issuer {Issuer}: the files of its credentials have changed, and these sign now: {Credentials}")]
    private partial void LogTaken(IssuerId issuer, string credentials);

    [LoggerMessage(41, LogLevel.Error, "Issuer {Issuer}: the files of its credentials have changed and cannot be used; the old ones sign on: {Errors}")]
    private partial void LogRefused(IssuerId issuer, string errors);

    [LoggerMessage(42, LogLevel.Warning, "Issuer {Issuer}: {Warning}")]
    private partial void LogWarning(IssuerId issuer, string warning);
}
