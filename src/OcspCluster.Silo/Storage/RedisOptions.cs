namespace OcspCluster.Silo.Storage;

/// <summary>Where Redis is, and what is asked of it. Section <c>Redis</c> of the configuration.</summary>
public sealed record RedisOptions
{
    /// <summary>
    /// A StackExchange.Redis configuration string: endpoints and options, such as
    /// <c>redis-1:6379,ssl=true,user=ocsp,password=…</c>, Sentinels with <c>serviceName=…</c>, or some nodes of a Cluster.
    /// </summary>
    public required string Configuration { get; init; }

    /// <summary>The password, where it is not part of <see cref="Configuration"/>: it may have any characters.</summary>
    public string? Password { get; init; }

    /// <summary>A PEM file with the CA that Redis's certificate must be of, where the system does not know it. TLS itself is asked for in <see cref="Configuration"/>: <c>ssl=true</c>.</summary>
    public string? Ca { get; init; }

    /// <summary>A PEM file with this client's certificate, where Redis asks for one (<c>tls-auth-clients</c>).</summary>
    public string? Certificate { get; init; }

    /// <summary>A PEM file with its private key.</summary>
    public string? Key { get; init; }

    /// <summary>What the name of every key begins with; authorities that share a Redis differ in it. Default <c>ocsp</c>. 1 to 32 of a–z, 0–9, '-', '_', '.'.</summary>
    public string KeyPrefix { get; init; } = RedisKeys.DefaultPrefix;

    /// <summary>Whether events are acknowledged on a Redis that may lose them with its process or its power. Default: no.</summary>
    public bool AcceptLessDurability { get; init; }

    /// <summary>How many replicas must have an append before it is acknowledged (WAIT). 0 to 16; default 0.</summary>
    public int Replicas { get; init; }
}
