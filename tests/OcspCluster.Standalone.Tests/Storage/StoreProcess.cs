using System.Diagnostics;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Storage;

/// <summary>Another process that has a store open: this test program, started with a verb.</summary>
internal static class StoreProcess
{
    public const string WriteVerb = "write-until-killed";
    public const string HoldVerb = "hold-store";

    public static readonly IssuerId Issuer = new("crash");

    /// <summary>Starts it. The caller kills it.</summary>
    public static Process Start(bool bundledSqlite, params string[] arguments)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(typeof(StoreProcess).Assembly.Location);
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["OCSPCLUSTER_BUNDLED_SQLITE"] = bundledSqlite ? "1" : "";
        return Process.Start(start) ?? throw new InvalidOperationException("The child process did not start.");
    }

    /// <summary>Prints <c>id position;</c> for every acknowledged event, from four submitters, two events to a submission.</summary>
    public static async Task WriteForeverAsync(string directory, string round)
    {
        SqliteRevocationStore store = SqliteRevocationStore.Open(directory);
        IssuerSequencer sequencer = new(Issuer, store, new NoGateway(), TimeProvider.System);
        Console.WriteLine(SqliteRevocationStore.LibraryDescription);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(submitter => Task.Run(async () =>
        {
            for (int i = 0; ; i++)
            {
                // One certificate, issued and revoked in one submission: never one without the other.
                string name = $"{round}-{submitter}-{i}";
                SerialNumber serial = SerialNumber.FromContent([0x01, .. System.Text.Encoding.ASCII.GetBytes(name)]);
                RevocationEvent issued = new() { Id = name + "-i", Serial = serial, Kind = EventKind.Issued, At = TimeProvider.System.GetUtcNow() };
                foreach (EventOutcome outcome in await sequencer.SubmitAsync([issued, issued with { Id = name + "-r", Kind = EventKind.Revoked }], CancellationToken.None))
                {
                    Console.WriteLine($"{outcome.EventId} {outcome.Position};");
                }
            }
        })));
    }

    /// <summary>Opens the store, says so, and keeps it until standard input ends.</summary>
    public static async Task HoldAsync(string directory)
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(directory);
        Console.WriteLine("open");
        await Console.In.ReadToEndAsync();
    }

    public sealed class NoGateway : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
