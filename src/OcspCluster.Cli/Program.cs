using OcspCluster.Cli;

return await CommandLine.RunAsync(args, Screen.OfProcess(), TimeProvider.System).ConfigureAwait(false);
