using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>Writes requests and responses in readable form, under the labels of <c>openssl ocsp -text</c> where it has them.</summary>
/// <param name="output">Where to.</param>
/// <param name="width">The columns of a terminal, in which lines are wrapped under themselves; null for lines as long as they are.</param>
internal sealed class MessageText(TextWriter output, int? width = null)
{
    private static readonly Dictionary<string, string> s_extensionNames = new()
    {
        [OcspNonce.ExtensionOid] = "OCSP Nonce",
        [AcceptableResponses.ExtensionOid] = "Acceptable OCSP Responses",
        [PreferredSignatureAlgorithm.ExtensionOid] = "Preferred Signature Algorithms",
        [ServiceLocator.ExtensionOid] = "OCSP Service Locator",
        [CrlReference.ExtensionOid] = "OCSP CRL ID",
        [ResponseExtensions.ArchiveCutoffOid] = "OCSP Archive Cutoff",
        [ResponseExtensions.ExtendedRevokeOid] = "Extended OCSP Status",
        [ResponseExtensions.CrlReasonOid] = "CRL Reason",
        [ResponseExtensions.InvalidityDateOid] = "Invalidity Date",
        [ResponseExtensions.CertificateIssuerOid] = "Certificate Issuer",
    };

    /// <summary>A request.</summary>
    public void Write(OcspRequest request)
    {
        Line(0, "OCSP Request Data:");
        Line(1, "Version: 1 (0x0)");
        if (request.RequestorName is GeneralName requestor)
        {
            Line(1, $"Requestor Name: {requestor.Kind}: {requestor.DirectoryName?.Name ?? requestor.Text ?? Convert.ToHexString(requestor.Encoded.Span)}");
        }

        Line(1, "Requestor List:");
        foreach (SingleRequest single in request.Requests)
        {
            Write(single.CertId, "Certificate ID:");
            Write(single.Extensions, 2, "Request Single Extensions:");
        }

        Write(request.Extensions, 1, "Request Extensions:");
        if (request.Signature is OcspRequestSignature signature)
        {
            Line(1, $"Signature Algorithm: {NameOf(signature.Algorithm.Oid)}");
            WriteHex(2, signature.Value.Span);
            Write(signature.Certificates);
        }
    }

    /// <summary>A response.</summary>
    public void Write(OcspResponse response)
    {
        Line(0, "OCSP Response Data:");
        Line(1, $"OCSP Response Status: {WordOf(response.Status)} (0x{(int)response.Status:x})");
        if (response.Basic is not BasicOcspResponse basic)
        {
            return;
        }

        ResponseData data = basic.Data;
        Line(1, "Response Type: Basic OCSP Response");
        Line(1, "Version: 1 (0x0)");
        Line(1, $"Responder Id: {data.ResponderId}");
        Line(1, $"Produced At: {TimeText.Of(data.ProducedAt)}");
        Line(1, "Responses:");
        foreach (SingleResponse single in data.Responses)
        {
            Write(single);
        }

        Write(data.Extensions, 1, "Response Extensions:");
        Line(1, $"Signature Algorithm: {NameOf(basic.SignatureAlgorithm.Oid)}");
        WriteHex(2, basic.Signature.Span);
        Write(basic.Certificates);
    }

    private void Write(SingleResponse single)
    {
        Write(single.CertId, "Certificate ID:");
        switch (single.Status)
        {
            case CertStatus.RevokedStatus revoked:
                Line(2, "Cert Status: revoked");
                Line(2, $"Revocation Time: {TimeText.Of(revoked.RevocationTime)}");
                if (revoked.Reason is RevocationReason reason)
                {
                    Line(2, string.Create(CultureInfo.InvariantCulture, $"Revocation Reason: {(Enum.IsDefined(reason) ? reason.ToName() : "unknown")} (0x{(int)reason:x})"));
                }

                break;
            case CertStatus.GoodStatus:
                Line(2, "Cert Status: good");
                break;
            default:
                Line(2, "Cert Status: unknown");
                break;
        }

        Line(2, $"This Update: {TimeText.Of(single.ThisUpdate)}");
        if (single.NextUpdate is DateTimeOffset nextUpdate)
        {
            Line(2, $"Next Update: {TimeText.Of(nextUpdate)}");
        }

        Write(single.Extensions, 2, "Response Single Extensions:");
    }

    private void Write(CertId certId, string title)
    {
        Line(2, title);
        Line(3, $"Hash Algorithm: {CertIdHash.All.FirstOrDefault(hash => hash.Oid == certId.HashAlgorithm.Oid)?.Name ?? certId.HashAlgorithm.Oid}");
        Line(3, $"Issuer Name Hash: {Convert.ToHexString(certId.IssuerNameHash.Span)}");
        Line(3, $"Issuer Key Hash: {Convert.ToHexString(certId.IssuerKeyHash.Span)}");
        Line(3, $"Serial Number: {certId.SerialNumber}");
    }

    private void Write(OcspExtensionCollection extensions, int depth, string title)
    {
        if (extensions.Count == 0)
        {
            return;
        }

        Line(depth, title);
        foreach (OcspExtension extension in extensions)
        {
            string name = s_extensionNames.GetValueOrDefault(extension.Oid) is string known ? $"{known} ({extension.Oid})" : extension.Oid;
            Line(depth + 1, $"{name}{(extension.IsCritical ? ", critical" : "")}: {ValueOf(extension, extensions)}");
        }
    }

    // What is understood is told in words; what is not, or breaks its own definition, in its octets.
    private static string ValueOf(OcspExtension extension, OcspExtensionCollection all)
    {
        string? words = extension.Oid switch
        {
            ResponseExtensions.ArchiveCutoffOid => ResponseExtensions.ReadArchiveCutoff(all) is DateTimeOffset cutoff ? TimeText.Of(cutoff) : null,
            ResponseExtensions.InvalidityDateOid => ResponseExtensions.ReadInvalidityDate(all) is DateTimeOffset date ? TimeText.Of(date) : null,
            ResponseExtensions.ExtendedRevokeOid => ResponseExtensions.HasExtendedRevoke(all) ? "the responder says revoked of what was never issued" : null,
            ResponseExtensions.CrlReasonOid => ResponseExtensions.ReadCrlReason(all) is RevocationReason reason && Enum.IsDefined(reason) ? reason.ToName() : null,
            CrlReference.ExtensionOid => CrlReference.Read(all) is CrlReference crl ? $"{crl.Url} {crl.Number} {(crl.Time is DateTimeOffset time ? TimeText.Of(time) : "")}".Trim() : null,
            ServiceLocator.ExtensionOid => ServiceLocator.Read(all)?.Issuer.Name,
            _ => null,
        };
        return words ?? Convert.ToHexString(extension.Value.Span);
    }

    private void Write(IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        for (int i = 0; i < certificates.Count; i++)
        {
            Line(1, string.Create(CultureInfo.InvariantCulture, $"Certificate {i + 1} of {certificates.Count}:"));
            try
            {
                using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(certificates[i].Span);
                Line(2, $"Subject: {certificate.Subject}");
                Line(2, $"Issuer: {certificate.Issuer}");
                Line(2, $"Serial Number: {SerialNumber.FromCertificate(certificate)}");
                Line(2, $"Valid: {TimeText.Of(certificate.NotBefore.ToUniversalTime())} to {TimeText.Of(certificate.NotAfter.ToUniversalTime())}");
                Line(2, "SHA-256:");
                WriteHex(3, certificate.GetCertHash(HashAlgorithmName.SHA256));
            }
            catch (CryptographicException)
            {
                Line(2, $"cannot be read: {certificates[i].Length} octets");
            }
        }
    }

    // 32 octets a line: 72 or 76 columns, indent included.
    private void WriteHex(int depth, ReadOnlySpan<byte> octets)
    {
        for (; octets.Length > 0; octets = octets[Math.Min(32, octets.Length)..])
        {
            Line(depth, Convert.ToHexString(octets[..Math.Min(32, octets.Length)]));
        }
    }

    private static string NameOf(string oid) => new Oid(oid).FriendlyName is string name && name != oid ? $"{name} ({oid})" : oid;

    private static string WordOf(OcspResponseStatus status) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private void Line(int depth, string text)
    {
        string indent = new(' ', depth * 4);
        string rest = indent + Printable.Of(text);
        while (width is int columns && rest.Length > columns && columns > 2 * (indent.Length + 4))
        {
            // At the last blank that is not the indent's; what has none is cut.
            int blank = rest.LastIndexOf(' ', columns, columns - indent.Length - 4);
            int end = blank > 0 ? blank : columns;
            output.WriteLine(rest[..end]);
            rest = indent + "    " + rest[end..].TrimStart(' ');
        }

        output.WriteLine(rest);
    }
}
