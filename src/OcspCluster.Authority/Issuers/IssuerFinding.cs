using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Authority;

/// <summary>One thing that is wrong with an issuer, or that some relying parties will not like.</summary>
/// <param name="Severity">Whether the issuer can be served all the same.</param>
/// <param name="Message">A sentence that names what is wrong and what to do.</param>
/// <param name="Certificate">The issuer's or responder's certificate that it is about; null when it is about the policy.</param>
public sealed record IssuerFinding(IssuerFindingSeverity Severity, string Message, X509Certificate2? Certificate = null);

/// <summary>Whether an issuer can be served in spite of a finding.</summary>
public enum IssuerFindingSeverity
{
    /// <summary>It can, but some relying parties may refuse its answers.</summary>
    Warning,

    /// <summary>It cannot: answers could not be signed, or would be refused.</summary>
    Error,
}
