namespace OcspCluster.Hosting;

/// <summary>What the process ends with; part of the operators' interface (docs/OPERATIONS.md).</summary>
internal static class ExitCodes
{
    /// <summary>Done, or ended by SIGTERM or Ctrl-C.</summary>
    public const int Success = 0;

    /// <summary>An import left lines out, or was interrupted.</summary>
    public const int Incomplete = 1;

    /// <summary>The command line or the configuration cannot work: starting again without a change is in vain.</summary>
    public const int Configuration = 2;

    /// <summary>The machine does not let us: an address or the data directory is in use, or the disk fails.</summary>
    public const int Unavailable = 3;

    /// <summary>An audit found that a journal, a status or an exported file is not sound.</summary>
    public const int NotSound = 4;
}
