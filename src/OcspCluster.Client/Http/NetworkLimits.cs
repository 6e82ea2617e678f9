namespace OcspCluster.Client;

/// <summary>What the client spends on one certificate at most, whatever responders do. Immutable.</summary>
public sealed record NetworkLimits
{
    /// <summary>The largest OCSP response, in octets. Default 64 KiB; 256 or more.</summary>
    public int MaxResponseBytes { get; init => field = AtLeast(value, 256); } = 64 * 1024;

    /// <summary>The largest file of issuer certificates, in octets. Default 64 KiB; 256 or more.</summary>
    public int MaxCertificateBytes { get; init => field = AtLeast(value, 256); } = 64 * 1024;

    /// <summary>The most certificates that are taken from one file. Default 16; 1 or more.</summary>
    public int MaxCertificatesPerFile { get; init => field = AtLeast(value, 1); } = 16;

    /// <summary>The largest CRL, in octets. Default 32 MiB; 256 or more.</summary>
    public int MaxCrlBytes { get; init => field = AtLeast(value, 256); } = 32 * 1024 * 1024;

    /// <summary>The most addresses of one kind that are taken from one certificate or CRL. Default 4; 1 or more.</summary>
    public int MaxUris { get; init => field = AtLeast(value, 1); } = 4;

    /// <summary>The most redirects that one request follows. Default 3; 0 or more.</summary>
    public int MaxRedirects { get; init => field = AtLeast(value, 0); } = 3;

    /// <summary>The longest chain that is followed by AIA caIssuers, the leaf included. Default 8; 2 or more.</summary>
    public int MaxChainLength { get; init => field = AtLeast(value, 2); } = 8;

    /// <summary>How often one address is asked in all: the first time, and again after tryLater, 503 and the like. Default 2; 1 or more.</summary>
    public int MaxAttempts { get; init => field = AtLeast(value, 1); } = 2;

    /// <summary>How long the client waits before it asks again; twice that before the third time, and so on. Default 300 ms; more than 0.</summary>
    public TimeSpan RetryDelay { get; init => field = Positive(value); } = TimeSpan.FromMilliseconds(300);

    /// <summary>The longest Retry-After that is waited for; a server that asks for more is left alone. Default 5 s; more than 0.</summary>
    public TimeSpan MaxRetryAfter { get; init => field = Positive(value); } = TimeSpan.FromSeconds(5);

    /// <summary>The longest time for one request, redirects and the whole body included. Default 5 s; more than 0.</summary>
    public TimeSpan RequestTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(5);

    /// <summary>The longest time for a CRL. Default 15 s; more than 0.</summary>
    public TimeSpan CrlTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(15);

    /// <summary>The longest time for one certificate in all: issuer, responders, retries and CRLs. Default 20 s; more than 0.</summary>
    public TimeSpan TotalTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(20);

    private static int AtLeast(int value, int minimum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum);
        return value;
    }

    private static TimeSpan Positive(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }
}
