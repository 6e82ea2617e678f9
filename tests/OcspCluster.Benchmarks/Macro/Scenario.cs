namespace OcspCluster.Benchmarks.Macro;

/// <summary>How servers are asked in one column of the table.</summary>
internal sealed record Scenario(string Name, bool IsPost, bool IsZipf, bool KeepsConnection, int Certificates)
{
    /// <summary>Whether h2load asks, as a second witness, and not wrk.</summary>
    public bool IsByH2Load { get; init; }
}

/// <summary>What one contestant did in one round of one scenario.</summary>
internal sealed record Sample(
    string Contestant, string Scenario, int Round, long Requests, double Seconds, double ProcessorSeconds, double P50, double P99, double P999, long BadStatus, long SocketErrors, int BadBodies)
{
    public bool IsOurs { get; init; }

    /// <summary>Of the server behind an edge; null where there is none.</summary>
    public double? BehindProcessorSeconds { get; init; }

    /// <summary>What was no answer, or not the right one.</summary>
    public long Wrong => BadStatus + SocketErrors + BadBodies;

    public double PerSecond => Requests / Seconds;

    /// <summary>The server's processor time for one request, in microseconds.</summary>
    public double ProcessorMicroseconds => PerRequest(ProcessorSeconds);

    /// <summary>That of the server behind an edge.</summary>
    public double? BehindMicroseconds => BehindProcessorSeconds is double seconds ? PerRequest(seconds) : null;

    /// <summary>Both.</summary>
    public double TotalMicroseconds => ProcessorMicroseconds + (BehindMicroseconds ?? 0);

    private double PerRequest(double seconds) => seconds / Math.Max(1, Requests) * 1e6;
}
