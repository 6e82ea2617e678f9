using System.Security.Cryptography.X509Certificates;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What an imported file is.</summary>
public enum ImportForm
{
    /// <summary>The <c>index.txt</c> of <c>openssl ca</c>.</summary>
    Index,

    /// <summary>A table of events (RFC 4180).</summary>
    Csv,

    /// <summary>Events, one per line, as the feed takes them.</summary>
    Ndjson,

    /// <summary>A CRL, PEM or DER.</summary>
    Crl,
}

/// <summary>What an import came to.</summary>
/// <param name="Progress">The counts.</param>
/// <param name="Problems">What was not taken and why, the first 10,000.</param>
/// <param name="Refusal">Why nothing of the file was taken, in a sentence; null when it was.</param>
/// <param name="Note">What else there is to say; null for nothing.</param>
internal sealed record ImportResult(ImportProgress Progress, IReadOnlyList<ImportProblem> Problems, string? Refusal = null, string? Note = null);

/// <summary>Imports a file of any form: the same in a program that runs for this alone, and in a responder that serves meanwhile.</summary>
internal sealed class FileImport(
    IRevocationAuthority authority, IssuerId issuer, IReadOnlyList<X509Certificate2> certificates, IRevocationStore store, ICrlRecords records, TimeProvider clock)
{
    /// <summary>The longest CRL, in octets: it has to be in memory as a whole, for its signature covers it.</summary>
    public const int MaxCrlBytes = 256 * 1024 * 1024;

    /// <summary>The longest line of NDJSON, in octets.</summary>
    public int MaxLineBytes { get; init; } = 64 * 1024;

    /// <summary>Who imports it.</summary>
    public Submitter Submitter { get; init; } = Submitter.Local;

    /// <summary>Whether nothing is recorded.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Called after each batch, one call at a time.</summary>
    public Action<ImportProgress>? OnProgress { get; init; }

    /// <summary>Reads a stream to its end, and imports it.</summary>
    /// <exception cref="RevocationStoreException">The store failed. What was recorded stays; run the import again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two appends. What was recorded stays.</exception>
    public async Task<ImportResult> RunAsync(ImportForm form, Stream stream, CancellationToken cancellationToken)
    {
        await using DryRunStore dryRun = new(store, ownsStore: false);
        IRevocationStore target = IsDryRun ? dryRun : store;
        IRevocationAuthority taker = IsDryRun ? DryRunStore.CreateAuthority(issuer, dryRun, clock) : authority;
        switch (form)
        {
            case ImportForm.Index:
                IndexImport index = new(taker, issuer, target, clock, Submitter, OnProgress);
                return new ImportResult(await index.RunAsync(stream, cancellationToken).ConfigureAwait(false), index.Problems);
            case ImportForm.Crl:
                return await RunCrlAsync(new CrlImport(taker, issuer, certificates, target, records, clock, Submitter, OnProgress) { IsDryRun = IsDryRun }, stream, cancellationToken).ConfigureAwait(false);
            default:
                EventImport events = new(taker, issuer, Submitter, OnProgress);
                IAsyncEnumerable<ImportedEvent> lines = form == ImportForm.Csv
                    ? EventFile.ReadCsvAsync(stream, cancellationToken)
                    : EventFile.ReadNdjsonAsync(stream, MaxLineBytes, certificate => Issuer.HasIssued(certificates, certificate), cancellationToken);
                return new ImportResult(await events.RunAsync(lines, cancellationToken).ConfigureAwait(false), events.Problems);
        }
    }

    private static async Task<ImportResult> RunCrlAsync(CrlImport import, Stream stream, CancellationToken cancellationToken)
    {
        if (await ReadAsync(stream, MaxCrlBytes, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return new ImportResult(default, [], $"The CRL has more than {MaxCrlBytes} octets.");
        }

        CertificateList crl;
        try
        {
            crl = CrlImport.Decode(bytes);
        }
        catch (OcspFormatException e)
        {
            return new ImportResult(default, [], $"This is no CRL that can be used ({e.Error}): {e.Message}");
        }

        CrlImportResult result = await import.RunAsync(crl, cancellationToken).ConfigureAwait(false);
        string? note = result is { Refusal: null, IsNews: false } ? "All that the CRL says was taken before." : null;
        return new ImportResult(
            result.Progress, import.Problems, result.Refusal is { } refusal ? $"Refused: {refusal.ToSentence()}." : null, string.Join(" ", new[] { note, result.Warning }.OfType<string>()) is { Length: > 0 } all ? all : null);
    }

    /// <summary>Reads a stream into memory; null when it is longer than a bound.</summary>
    internal static async Task<ReadOnlyMemory<byte>?> ReadAsync(Stream stream, int maxBytes, CancellationToken cancellationToken)
    {
        using MemoryStream whole = new();
        byte[] buffer = new byte[1 << 16];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (whole.Length + read > maxBytes)
            {
                return null;
            }

            whole.Write(buffer, 0, read);
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }
}
