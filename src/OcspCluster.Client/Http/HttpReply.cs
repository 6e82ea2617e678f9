namespace OcspCluster.Client;

/// <summary>What is asked of a server.</summary>
internal sealed record HttpQuestion
{
    public required Uri Uri { get; init; }

    /// <summary>What is posted; null: GET.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The media type of <see cref="Body"/>.</summary>
    public string? BodyType { get; init; }

    public required string Accept { get; init; }

    public required int MaxBytes { get; init; }

    public required TimeSpan Timeout { get; init; }

    /// <summary>The validator of what the client has already, quoted; null when it has nothing.</summary>
    public string? ETag { get; init; }

    /// <summary>Whether the program itself named the address, not a certificate or a redirect.</summary>
    public bool IsGiven { get; init; }

    public string Method => Body is null ? "GET" : "POST";
}

/// <summary>What became of it: never an exception, but for the caller's own cancellation.</summary>
internal sealed record HttpReply
{
    /// <summary>Why there is no HTTP answer; <see cref="RevocationFailure.None"/> when there is one, whatever its status.</summary>
    public RevocationFailure Failure { get; init; }

    /// <summary>A sentence about the failure.</summary>
    public string Message { get; init; } = "";

    public int Status { get; init; }

    public string? ContentType { get; init; }

    public byte[] Body { get; init; } = [];

    public string? ETag { get; init; }

    public bool IsStorable { get; init; } = true;

    /// <summary>How long HTTP lets it be used without asking; null when HTTP does not say.</summary>
    public TimeSpan? Lifetime { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether asking again may help.</summary>
    public bool IsTransient => Failure is RevocationFailure.Unreachable || Status is 429 or 500 or 502 or 503 or 504;

    public static HttpReply Failed(RevocationFailure failure, string message) => new() { Failure = failure, Message = message };
}
