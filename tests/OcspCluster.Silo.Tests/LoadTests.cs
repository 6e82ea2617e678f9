namespace OcspCluster.Silo.Tests;

/// <summary>Tests that load the machine: one after the other, when the others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LoadTests
{
    public const string Name = "load";
}
