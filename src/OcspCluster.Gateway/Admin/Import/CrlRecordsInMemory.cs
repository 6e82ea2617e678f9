using System.Collections.Concurrent;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What was taken of CRLs since the program began, for a program that keeps it nowhere else: after a restart each CRL is read as if it were the first.</summary>
internal sealed class CrlRecordsInMemory : ICrlRecords
{
    private readonly ConcurrentDictionary<(IssuerId Issuer, string Scope), CrlRecord> _records = new();

    public ValueTask<CrlRecord?> FindAsync(IssuerId issuer, string scope, CancellationToken cancellationToken) => ValueTask.FromResult(_records.GetValueOrDefault((issuer, scope)));

    public ValueTask SaveAsync(IssuerId issuer, CrlRecord record)
    {
        _records[(issuer, record.Scope)] = record;
        return ValueTask.CompletedTask;
    }
}
