namespace OcspCluster.Benchmarks.Macro;

/// <summary>How servers are asked in one column of the table.</summary>
internal sealed record Scenario(string Name, bool IsPost, bool IsZipf, bool KeepsConnection, int Certificates);

/// <summary>What one contestant did in one round of one scenario.</summary>
internal sealed record Sample(
    string Contestant, string Scenario, int Round, long Requests, double Seconds, double ProcessorSeconds, double P50, double P99, double P999, long BadStatus, long SocketErrors, int BadBodies)
{
    public bool IsOurs => Contestant is Benchmarks.Macro.Contestant.StandaloneName;

    /// <summary>What was no answer, or not the right one.</summary>
    public long Wrong => BadStatus + SocketErrors + BadBodies;

    public double PerSecond => Requests / Seconds;

    /// <summary>The server's processor time for one request, in microseconds.</summary>
    public double ProcessorMicroseconds => ProcessorSeconds / Math.Max(1, Requests) * 1e6;
}
