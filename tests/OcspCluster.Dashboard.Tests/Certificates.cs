using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Dashboard.Tests;

/// <summary>The demo CA's certificates, as a test asks for them.</summary>
internal static class Certificates
{
    /// <summary>The serial number in hexadecimal, as the API prints it.</summary>
    public static async Task<string> SerialOfAsync(DashboardHost host, string file)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(host.DemoFile(file)));
        return certificate.SerialNumber;
    }
}
