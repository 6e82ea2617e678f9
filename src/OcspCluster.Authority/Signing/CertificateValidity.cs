using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Authority;

/// <summary>A certificate's validity in UTC, both ends included. .NET takes it through the machine's time zone each time it is asked, some microseconds for every answer.</summary>
internal sealed record CertificateValidity(DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    private static readonly ConditionalWeakTable<X509Certificate2, CertificateValidity> s_known = [];

    public static CertificateValidity Of(X509Certificate2 certificate) =>
        s_known.GetValue(certificate, static one => new CertificateValidity(one.NotBefore.ToUniversalTime(), one.NotAfter.ToUniversalTime()));

    public bool Includes(DateTimeOffset time) => time >= NotBefore && time <= NotAfter;
}
