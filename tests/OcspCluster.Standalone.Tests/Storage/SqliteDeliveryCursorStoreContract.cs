using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Storage;

public sealed class SqliteDeliveryCursorStoreContract : DeliveryCursorStoreContract
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-store-");

    protected override ValueTask<IDeliveryCursorStore> OpenAsync() => ValueTask.FromResult<IDeliveryCursorStore>(SqliteRevocationStore.Open(_directory.FullName));

    protected override ValueTask CloseAsync(IDeliveryCursorStore store) => ((SqliteRevocationStore)store).DisposeAsync();

    protected override ValueTask CleanAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
