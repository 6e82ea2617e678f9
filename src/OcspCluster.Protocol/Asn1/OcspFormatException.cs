namespace OcspCluster.Protocol;

/// <summary>The bytes are not a message that RFC 6960 allows, or not a CRL as RFC 5280 has it. <see cref="Error"/> names the rule.</summary>
public sealed class OcspFormatException : Exception
{
    /// <summary>With the rule that was broken and a sentence about it.</summary>
    public OcspFormatException(DecodeError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>Without a rule.</summary>
    public OcspFormatException()
    {
    }

    /// <summary>With a message.</summary>
    public OcspFormatException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public OcspFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The rule that was broken.</summary>
    public DecodeError Error { get; } = DecodeError.MalformedDer;
}
