using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Storage;

public sealed class SqliteAuditStoreContract : AuditStoreContract
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-store-");

    protected override ValueTask<IRevocationStore> OpenAsync() => ValueTask.FromResult<IRevocationStore>(SqliteRevocationStore.Open(_directory.FullName));

    protected override ValueTask<IAuditStore> OpenAuditAsync() => ValueTask.FromResult<IAuditStore>(SqliteAuditStore.Open(_directory.FullName));

    protected override ValueTask CleanAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
