using System.Security.Authentication;

namespace OcspCluster.Client;

/// <summary>A handshake was ended because of what is known, or not known, about the revocation of the server's certificates.</summary>
public sealed class RevocationException : AuthenticationException
{
    /// <summary>With the verdict that ended it.</summary>
    public RevocationException(RevocationVerdict verdict)
        : base($"The certificate of '{verdict?.Certificate.Subject}' is not accepted: {verdict?.Message}")
    {
        ArgumentNullException.ThrowIfNull(verdict);
        Verdict = verdict;
    }

    /// <summary>Without a verdict.</summary>
    public RevocationException()
    {
    }

    /// <summary>With a message.</summary>
    public RevocationException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public RevocationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The verdict that ended the handshake.</summary>
    public RevocationVerdict? Verdict { get; }
}
