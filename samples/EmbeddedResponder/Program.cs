using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
X509Certificate2 ca = X509CertificateLoader.LoadCertificateFromFile("ca.pem");
X509Certificate2 responder = X509Certificate2.CreateFromPemFile("responder.pem", "responder.key");

// Your status source: issuer and serial number in, status out; null for what was never issued.
Dictionary<string, CertificateStatus> certificates = new()
{
    ["1001"] = CertificateStatus.Good,
    ["1002"] = CertificateStatus.RevokedAt(DateTimeOffset.Parse("2026-01-31T12:00:00Z"), RevocationReason.KeyCompromise),
};

builder.Services.AddOcspResponder(ocsp => ocsp
    .AddIssuer("my-ca", ca, responder)
    .UseStatus((issuer, serial) => certificates.GetValueOrDefault(serial.ToString())));

WebApplication app = builder.Build();
app.MapOcsp("/ocsp");
app.Run();
