using System.Globalization;
using OcspCluster.Conformance;
using OcspCluster.Silo.Tests.Host;

namespace OcspCluster.Silo.Tests.History;

/// <summary>A silo process and what starts it again whenever it has ended, as systemd or Kubernetes does.</summary>
internal sealed class SupervisedSilo : IHistoryGateway, IAsyncDisposable
{
    private static readonly Uri s_nobody = new("http://127.0.0.1:9");

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly string _directory;
    private readonly IReadOnlyList<string> _launcher;
    private readonly IReadOnlyList<string> _arguments;
    private readonly (Uri Ocsp, Uri Admin)? _fixed;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    /// <summary>One that is not started yet.</summary>
    /// <param name="name">For the report.</param>
    /// <param name="directory">Where it runs.</param>
    /// <param name="launcher">What starts it; empty for nothing special.</param>
    /// <param name="arguments">Its command line, with URLs.</param>
    /// <param name="addresses">Where it is reached; null for where it says itself.</param>
    public SupervisedSilo(string name, string directory, IReadOnlyList<string> launcher, IReadOnlyList<string> arguments, (Uri Ocsp, Uri Admin)? addresses)
    {
        Name = name;
        (_directory, _launcher, _arguments, _fixed) = (directory, launcher, arguments, addresses);
        (OcspUri, AdminUri) = addresses ?? (s_nobody, s_nobody);
    }

    public string Name { get; }

    public Uri OcspUri { get; private set; }

    public Uri AdminUri { get; private set; }

    /// <summary>The process, running or starting; null between two of them.</summary>
    public SiloProcess? Process { get; private set; }

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Starts it and returns when it answers for the first time.</summary>
    public async Task StartAsync()
    {
        _running = SuperviseAsync();
        await _ready.Task.WaitAsync(s_patience);
    }

    /// <summary>Ends it for good.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await RunOnceAsync();
            await HistoryPause.AfterFailureAsync(_stop.Token);
        }
    }

    private async Task RunOnceAsync()
    {
        Starts++;
        await using SiloProcess process = SiloProcess.Spawn(_directory, _launcher, _arguments);
        Process = process;
        try
        {
            await process.WaitUntilReadyAsync().WaitAsync(_stop.Token);
            (OcspUri, AdminUri) = _fixed ?? (process.OcspUri, process.AdminUri);
            _ready.TrySetResult();
            await process.WaitForExitAsync(_stop.Token);
        }
        catch (InvalidOperationException e) when (Starts > 1)
        {
            // It could not start, perhaps because Redis is away: again.
            LastFailure = e.Message;
        }
        catch (InvalidOperationException e)
        {
            _ready.TrySetException(e);
        }
        catch (OperationCanceledException)
        {
            // Over, or it did not get ready for very long: again.
        }
        finally
        {
            Process = null;
        }
    }

    /// <summary>Why it could not start the last time that it could not.</summary>
    public string? LastFailure { get; private set; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}: started {Starts} times{(LastFailure is null ? "" : ", once in vain: " + LastFailure)}");
}
