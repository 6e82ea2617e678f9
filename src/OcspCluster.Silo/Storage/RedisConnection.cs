using System.Globalization;
using System.Net;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>
/// A connection to Redis that comes back by itself, and of which every operation ends within <see cref="OperationTimeout"/>.
/// All operations go to the primary: a replica may be behind, and would answer with an older status. Thread-safe.
/// </summary>
/// <remarks>
/// An operation that failed, by timeout or by a lost connection, may have been carried out, and one that timed out may still be
/// carried out later: it lies in a buffer of ours, of the network or of Redis. Writes are therefore fenced (see
/// <c>RedisRevocationStore</c>).
/// </remarks>
public sealed class RedisConnection : IAsyncDisposable
{
    private const int DefaultConnectTimeoutMilliseconds = 2000;
    private const int DefaultOperationTimeoutMilliseconds = 3000;
    private const int MaxTimeoutMilliseconds = 30_000;

    private readonly ConnectionMultiplexer _multiplexer;
    private readonly TimeProvider _timeProvider;
    private readonly ConfigurationOptions _configuration;

    private RedisConnection(ConnectionMultiplexer multiplexer, ConfigurationOptions configuration, int operationTimeoutMilliseconds, RedisKeys keys, TimeProvider timeProvider)
    {
        _multiplexer = multiplexer;
        _configuration = configuration;
        _timeProvider = timeProvider;
        OperationTimeout = TimeSpan.FromMilliseconds(operationTimeoutMilliseconds);
        Keys = keys;
        Database = multiplexer.GetDatabase();
    }

    /// <summary>The names of the keys.</summary>
    public RedisKeys Keys { get; }

    /// <summary>How long an operation may take: <c>asyncTimeout</c> of the configuration string, else 3 s; at most 30 s.</summary>
    public TimeSpan OperationTimeout { get; }

    /// <summary>Whether there is a connection now.</summary>
    public bool IsConnected => _multiplexer.IsConnected;

    /// <summary>The endpoints, for messages. Without passwords.</summary>
    public string Description => string.Join(", ", _multiplexer.GetEndPoints().Select(endPoint => endPoint is DnsEndPoint name ? $"{name.Host}:{name.Port}" : endPoint.ToString()));

    /// <summary>The commands. Pass <see cref="CommandFlags.DemandMaster"/>, and call them within <see cref="RunAsync"/>.</summary>
    public IDatabase Database { get; }

    /// <summary>What is connected. Disposed with this.</summary>
    public IConnectionMultiplexer Multiplexer => _multiplexer;

    /// <summary>Connects, or begins to: an absent Redis is tried again until it is there, and operations fail meanwhile.</summary>
    /// <param name="configuration">A StackExchange.Redis configuration string (<see cref="RedisOptions.Configuration"/>).</param>
    /// <param name="keys">The names of the keys; null for the default prefix.</param>
    /// <param name="timeProvider">The clock of the deadlines; null for the system's.</param>
    /// <exception cref="ArgumentException">The string cannot be read. The message has no password in it.</exception>
    public static Task<RedisConnection> OpenAsync(string configuration, RedisKeys? keys = null, TimeProvider? timeProvider = null) =>
        OpenAsync(Read(configuration), keys ?? new RedisKeys(), timeProvider ?? TimeProvider.System);

    /// <summary>Connects as configured, or begins to.</summary>
    /// <inheritdoc cref="OpenAsync(string, RedisKeys?, TimeProvider?)"/>
    public static Task<RedisConnection> OpenAsync(RedisOptions options, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return OpenAsync(Read(options), new RedisKeys(options.KeyPrefix), timeProvider ?? TimeProvider.System);
    }

    private static async Task<RedisConnection> OpenAsync(ConfigurationOptions configuration, RedisKeys keys, TimeProvider timeProvider)
    {
        ConnectionMultiplexer multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        return new RedisConnection(multiplexer, configuration, configuration.AsyncTimeout, keys, timeProvider);
    }

    /// <summary>Reads a configuration string, and the password and the certificates that are kept beside it.</summary>
    /// <inheritdoc cref="Read(string)"/>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file is no PEM of what it should be.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ConfigurationOptions Read(RedisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ConfigurationOptions configuration = Read(options.Configuration);
        configuration.Password = options.Password ?? configuration.Password;
        if (options.Ca is { } ca)
        {
            configuration.TrustIssuer(ca);
        }

        if (options.Certificate is { } certificate)
        {
            configuration.SetUserPemCertificate(certificate, options.Key);
        }

        return configuration;
    }

    /// <summary>Reads a configuration string, and bounds every wait in it.</summary>
    /// <exception cref="ArgumentException">The string cannot be read. The message has no password in it.</exception>
    public static ConfigurationOptions Read(string configuration)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(configuration);
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(configuration);
        }
        catch (ArgumentException e)
        {
            // The library's message may repeat the part that it could not read, and that may be the password.
            throw new ArgumentException($"The Redis configuration string cannot be read: {e.ParamName ?? "an option"} is unknown or has a value that it cannot have.", nameof(configuration));
        }

        if (options.EndPoints.Count == 0)
        {
            throw new ArgumentException("The Redis configuration string names no endpoint, such as 127.0.0.1:6379.", nameof(configuration));
        }

        options.AbortOnConnectFail = false;
        options.AllowAdmin = true; // CONFIG GET and INFO are among what the library calls so
        options.ConnectTimeout = Bounded(options.ConnectTimeout, "connectTimeout", DefaultConnectTimeoutMilliseconds);
        options.AsyncTimeout = Bounded(options.AsyncTimeout, "asyncTimeout", DefaultOperationTimeoutMilliseconds);
        options.SyncTimeout = Bounded(options.SyncTimeout, "syncTimeout", DefaultOperationTimeoutMilliseconds);
        options.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: 100, maxDeltaBackOffMilliseconds: 2000);
        options.ClientName ??= "ocspcluster";
        return options;

        int Bounded(int value, string name, int whenAbsent) => configuration.Split(',').Any(option => option.TrimStart().StartsWith(name + "=", StringComparison.OrdinalIgnoreCase))
            ? Math.Clamp(value, 1, MaxTimeoutMilliseconds)
            : whenAbsent;
    }

    /// <summary>A second connection to the same Redis, for what must not hold up the others.</summary>
    public Task<RedisConnection> OpenAnotherAsync() => OpenAsync(_configuration.Clone(), Keys, _timeProvider);

    /// <summary>Carries out an operation within <see cref="OperationTimeout"/>.</summary>
    /// <param name="operation">Begins it. Called once.</param>
    /// <param name="what">What it does, for the message: "The journal of issuer 'x' could not be read".</param>
    /// <param name="cancellationToken">Stops waiting for it; Redis may carry it out all the same.</param>
    /// <exception cref="RevocationStoreException">Redis could not be asked, did not answer in time, or refused. What was to be written may be written.</exception>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> operation, string what, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(operation);
        cancellationToken.ThrowIfCancellationRequested();
        Task<T>? task = null;
        try
        {
            task = operation(Database);
            return await task.WaitAsync(OperationTimeout, _timeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or RedisException or RedisCommandException or ObjectDisposedException)
        {
            Observe(task);
            throw new RevocationStoreException($"{what}: {Explain(e)}", e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RevocationStoreException($"{what}: the connection to Redis was closed.");
        }
        catch (OperationCanceledException)
        {
            Observe(task);
            throw;
        }
    }

    /// <summary>Returns when so many replicas have in memory what was written over this connection to the primary of a key.</summary>
    /// <param name="key">A key that was written to.</param>
    /// <param name="replicas">How many; 0 returns at once.</param>
    /// <param name="unknown">What is in the primary, and that it is unknown whether replicas have it: a sentence without its end.</param>
    /// <exception cref="RevocationStoreException">They did not say so in time.</exception>
    internal async Task WaitForReplicasAsync(RedisKey key, int replicas, string unknown)
    {
        if (replicas == 0)
        {
            return;
        }

        long timeout = (long)(OperationTimeout.TotalMilliseconds * 0.8);
        long reached = await RunAsync(
            async database =>
            {
                if (await database.IdentifyEndpointAsync(key, CommandFlags.DemandMaster).ConfigureAwait(false) is not { } endPoint)
                {
                    throw new RedisConnectionException(ConnectionFailureType.UnableToResolvePhysicalConnection, "no primary is connected");
                }

                return (long)await Multiplexer.GetServer(endPoint).ExecuteAsync("WAIT", replicas, timeout).ConfigureAwait(false);
            },
            unknown, CancellationToken.None).ConfigureAwait(false);
        if (reached < replicas)
        {
            throw new RevocationStoreException(string.Create(CultureInfo.InvariantCulture, $"{unknown}: {reached} answered in time. Check the replicas and their links."));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _multiplexer.DisposeAsync();

    private string Explain(Exception e) => e switch
    {
        TimeoutException => string.Create(CultureInfo.InvariantCulture, $"Redis ({Description}) did not answer within {OperationTimeout.TotalSeconds:0.###} s. Check that it runs, that its disk keeps up, and the network between."),
        RedisConnectionException => $"Redis ({Description}) cannot be reached. Check that it runs, the network between, and user, password and certificate. ({e.Message})",
        RedisServerException => $"Redis ({Description}) refused: {e.Message}",
        _ => e.Message,
    };

    // What is given up still ends some day, and nobody is there for its exception.
    private static void Observe(Task? task) =>
        task?.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
