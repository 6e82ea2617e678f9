using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OcspCluster.Hosting.Telemetry;

/// <summary>
/// Sends metrics, traces and logs by OTLP. Off unless <c>Telemetry:Otlp:Endpoint</c> or one of OpenTelemetry's own variables names a place; what else those say (resource, sampler, limits, certificates) counts, too.
/// </summary>
internal sealed class OtlpExport : IHostedService, IDisposable
{
    private static readonly string[] s_endpoints =
        ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"];

    private static readonly int s_patienceMilliseconds = (int)TimeSpan.FromSeconds(1.5).TotalMilliseconds;

    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;

    private OtlpExport(TelemetrySettings settings, string program, NodeIdentity node)
    {
        if (IsSent("METRICS"))
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .ConfigureResource(resource => Describe(resource, program, node))
                .AddMeter("OcspCluster.*", "System.Runtime", "Microsoft.Orleans")
                .AddOtlpExporter((exporter, reader) =>
                {
                    Configure(exporter, settings, "v1/metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = Variable("OTEL_METRIC_EXPORT_INTERVAL") is string text && int.TryParse(text, out int interval)
                        ? interval
                        : (int)settings.Interval.TotalMilliseconds;
                })
                .Build();
        }

        if (IsSent("TRACES"))
        {
            TracerProviderBuilder traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(resource => Describe(resource, program, node))
                .AddSource("OcspCluster.*", "Microsoft.Orleans.Application")
                .AddOtlpExporter(exporter => Configure(exporter, settings, "v1/traces"));
            if (Variable("OTEL_TRACES_SAMPLER") is null)
            {
                traces.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(settings.TraceRatio)));
            }

            _traces = traces.Build();
        }
    }

    /// <summary>Adds it to a host where it is wanted.</summary>
    public static void AddTo(WebApplicationBuilder builder, TelemetrySettings settings, string program)
    {
        if (!IsWanted(settings))
        {
            return;
        }

        builder.Services.AddSingleton<IHostedService>(services => new OtlpExport(settings, program, services.GetRequiredService<NodeIdentity>()));
        if (IsSent("LOGS"))
        {
            builder.Logging.AddOpenTelemetry(logs =>
            {
                logs.IncludeFormattedMessage = true;
                logs.SetResourceBuilder(Describe(ResourceBuilder.CreateDefault(), program, node: null));
                logs.AddOtlpExporter(exporter => Configure(exporter, settings, "v1/logs"));
            });
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask; // it began when it was made

    /// <summary>Sends what is left, while the instruments are still there; a collector that is away holds nobody up for long.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            _metrics?.ForceFlush(s_patienceMilliseconds);
            _traces?.ForceFlush(s_patienceMilliseconds);
        },
        CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics?.Dispose();
        _traces?.Dispose();
    }

    private static bool IsWanted(TelemetrySettings settings) =>
        !string.Equals(Variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase) && (settings.Endpoint is not null || s_endpoints.Any(name => Variable(name) is not null));

    private static bool IsSent(string signal) => !string.Equals(Variable($"OTEL_{signal}_EXPORTER"), "none", StringComparison.OrdinalIgnoreCase);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    // The variables come last: they are the operator's of the moment.
    private static ResourceBuilder Describe(ResourceBuilder resource, string program, NodeIdentity? node) => resource
        .AddService(program, serviceVersion: LonelyNode.Version, autoGenerateServiceInstanceId: node is null, serviceInstanceId: node?.Name)
        .AddEnvironmentVariableDetector();

    // Without an endpoint in the configuration the exporter takes all of it from the variables.
    private static void Configure(OtlpExporterOptions exporter, TelemetrySettings settings, string path)
    {
        if (settings.Endpoint is not Uri endpoint)
        {
            return;
        }

        exporter.Protocol = settings.Protocol == OtlpProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = settings.Protocol == OtlpProtocol.Grpc ? endpoint : new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);
        if (settings.Headers is string headers)
        {
            exporter.Headers = headers;
        }
    }
}
