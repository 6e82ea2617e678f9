namespace OcspCluster.Hosting;

/// <summary>The host could not start, and not for its configuration's sake. The message says what to do.</summary>
public sealed class HostStartException : Exception
{
    /// <summary>With what failed and what to do.</summary>
    public HostStartException(string message)
        : base(message)
    {
    }

    /// <summary>With what failed and what to do, and its cause.</summary>
    public HostStartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public HostStartException()
    {
    }
}
