using OcspCluster.Standalone;

return await CommandLine.RunAsync(args);
