using OcspCluster.Silo.Host;

return await SiloCommandLine.RunAsync(args);
