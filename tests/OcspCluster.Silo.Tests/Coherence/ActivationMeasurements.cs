using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Storage;
using OcspCluster.Silo.Tests.Storage;
using Orleans.TestingHost;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>
/// What an active certificate takes, and how quickly one comes from the store. One silo in this process, a real Redis, no HTTP and no gateway cache. Not part of the tests: it asserts nothing. Run with
/// <c>dotnet run -c Cluster --project tests/OcspCluster.Silo.Tests -- measure-activations 50000</c>.
/// </summary>
internal static class ActivationMeasurements
{
    public const string Verb = "measure-activations";

    private const int AtOnce = 64;

    public static async Task RunAsync(int certificates)
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        RedisOptions options = new() { Configuration = redis.Configuration };
        await using RedisConnection connection = await RedisConnection.OpenAsync(options);
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(connection, options, TimeProvider.System, CancellationToken.None);
        await using RedisResponseStore responses = await RedisResponseStore.OpenAsync(connection, TimeProvider.System);
        InProcessTestClusterBuilder builder = new(1);
        builder.ConfigureSilo((_, silo) =>
        {
            X509Certificate2 withKey = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());
            silo.Services.AddSingleton(connection);
            silo.Services.AddSingleton<IRevocationStore>(store);
            silo.Services.AddSingleton<IResponseStore>(responses);
            silo.Services.AddOcspResponder(responder => responder.AddIssuer(new Issuer(SiloCluster.Ca, Issuers.Alpha.Certificates, [new SigningCredential(withKey)], new IssuerPolicy())));
            silo.AddOcspSilo(new OcspSiloOptions());
        });
        await using InProcessTestCluster cluster = await SiloCluster.BuildAsync(builder);
        await cluster.DeployAsync();
        IServiceProvider services = cluster.Silos[0].ServiceProvider;
        SerialNumber[] serials = [.. Enumerable.Range(1, certificates).Select(number => Serial(number))];
        foreach (SerialNumber[] some in serials.Chunk(4096))
        {
            await SiloCluster.SubmitAsync(services, [.. some.Select(serial => Issued("i" + serial, serial))]);
        }

        byte[][] certIds = [.. serials.Select(serial => CertId.Create(Issuers.Alpha.Certificate, serial).Encoded.ToArray())];
        CertificateActors actors = services.GetRequiredService<CertificateActors>();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{certificates:N0} certificates; {Environment.ProcessorCount} processors, load average {LoadAverage()}"));

        long before = GC.GetTotalMemory(forceFullCollection: true);
        Report("activated, status read from the store, answer signed and verified", certificates, await AskAllAsync(services, serials, certIds));
        int size = (await AskAsync(services, serials[0], certIds[0])).Response!.Encoded.Length;
        long after = GC.GetTotalMemory(forceFullCollection: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(after - before) / (double)certificates:N0} octets of managed memory for each of {actors.Active:N0} active certificates, with one signed answer of {size} octets and its place in the refresh schedule"));

        await services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        while (actors.Active > certificates / 100)
        {
            await HistoryPause.UntilAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }

        Report("activated again, status and answer read from the store", certificates, await AskAllAsync(services, serials, certIds));
        Report("asked while active", certificates, await AskAllAsync(services, serials, certIds));
    }

    private static async Task<TimeSpan> AskAllAsync(IServiceProvider services, SerialNumber[] serials, byte[][] certIds)
    {
        long began = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, serials.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            if ((await AskAsync(services, serials[i], certIds[i])).Response is null)
            {
                throw new InvalidDataException($"Certificate {serials[i]} was not answered.");
            }
        });
        return Stopwatch.GetElapsedTime(began);
    }

    private static Task<CertificateReply> AskAsync(IServiceProvider services, SerialNumber serial, byte[] certId) =>
        services.GetRequiredService<IGrainFactory>().GetGrain<ICertificateGrain>(new CertificateKey(SiloCluster.Ca, serial).ToString()).AnswerAsync(new CertificateQuestion(certId, Preferred: null, NewerThan: null, MinPosition: 0));

    private static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static void Report(string what, int count, TimeSpan took) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {count / took.TotalSeconds:N0} a second"));
}
