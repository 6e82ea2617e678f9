using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Puts the admin API into a program: the event feed and the read side, for callers with a key.</summary>
public static class AdminApiExtensions
{
    /// <summary>
    /// Adds what the admin API needs, beside a responder (<c>AddOcspResponder</c>), an <see cref="IRevocationStore"/>, an <see cref="IRevocationAuthority"/>, an <see cref="IDeliveryCursorStore"/>,
    /// a <see cref="PublishedJournal"/>, an <see cref="IClusterOverview"/> and <see cref="JournalNotes"/>, which are the program's to add; and <see cref="DeliveryOptions"/> where there are webhooks.
    /// </summary>
    /// <exception cref="OptionsValidationException">A value breaks its bounds.</exception>
    public static IServiceCollection AddAdminApi(this IServiceCollection services, AdminApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        ValidateOptionsResult bounds = new AdminApiOptionsValidator().Validate(null, options);
        if (bounds.Failed)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(AdminApiOptions), bounds.Failures);
        }

        services.AddSingleton(Options.Create(options));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IApiKeyDocument>(provider => new ApiKeyFile(provider.GetRequiredService<IOptions<AdminApiOptions>>().Value.KeyFile));
        services.TryAddSingleton(provider => new ApiKeyStore(provider.GetRequiredService<IApiKeyDocument>(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new AdminSessions(options.SessionLifetime, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<AdminAccess>();
        services.TryAddSingleton<SessionEndpoints>();
        services.TryAddSingleton<EventsEndpoint>();
        services.TryAddSingleton<ICrlRecords, CrlRecordsInMemory>();
        services.TryAddSingleton(provider => new RevocationSources([], provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RevocationSources>>()));
        services.TryAddSingleton<ImportsEndpoint>();
        services.TryAddSingleton<BulkEndpoint>();
        services.TryAddSingleton<ReadEndpoints>();
        services.TryAddSingleton<ExplainEndpoint>();
        services.TryAddSingleton<KeyEndpoints>();
        services.TryAddSingleton<PlanEndpoint>();
        services.TryAddSingleton<FollowEndpoints>();
        services.TryAddSingleton<ProofEndpoints>();
        services.TryAddSingleton<ClockAcceptance>();
        services.TryAddSingleton<OperationsEndpoints>();
        services.TryAddSingleton<JournalCheckpoints>();
        services.AddHostedService(provider => provider.GetRequiredService<JournalCheckpoints>());
        services.TryAddSingleton(new DeliveryOptions());
        services.TryAddSingleton<Deliveries>();
        services.AddHostedService(provider => provider.GetRequiredService<Deliveries>());
        services.TryAddSingleton<DeliveryEndpoints>();
        services.AddOverview();
        services.TryAddSingleton<ClusterEndpoint>();
        services.AddProblemDetails();
        services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "OcspCluster admin API", Version = "v1", Description = "Tells a revocation authority what was issued and revoked, and asks what it knows. docs/API.md has examples." };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key as id.secret." },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
            return Task.CompletedTask;
        }));
        return services;
    }

    /// <summary>Maps <c>/v1/issuers</c> and what is below it, <c>/v1/events</c>, <c>/v1/webhooks</c>, <c>/v1/cluster</c>, <c>/v1/overview</c>, and the OpenAPI document at <c>/openapi/v1.json</c>.</summary>
    public static IEndpointRouteBuilder MapAdminApi(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        EventsEndpoint events = endpoints.ServiceProvider.GetRequiredService<EventsEndpoint>();
        ReadEndpoints reading = endpoints.ServiceProvider.GetRequiredService<ReadEndpoints>();
        endpoints.MapOpenApi("/openapi/{documentName}.json");

        RouteGroupBuilder v1 = endpoints.MapGroup("/v1/issuers").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>());
        v1.MapPost("/{issuer}/events", events.PostAsync)
            .For(ApiAction.Feed, "Submits one event, a batch, or a stream", "200 comes when the applied events are on stable storage and no older answer is given any more. The same id again has the first outcome.")
            .AddOpenApiOperationTransformer(DescribeBodyAsync)
            .Produces<EventsAnswer>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(415).ProducesProblem(503);
        MapBulk(endpoints, v1);
        v1.MapGet("/", reading.GetIssuers)
            .For(ApiAction.Read, "The issuers within the caller's scopes")
            .Produces<IssuerListView>();
        v1.MapGet("/{issuer}", reading.GetIssuerAsync)
            .For(ApiAction.Read, "An issuer: policy, certificates, counts, position, and who signs")
            .Produces<IssuerView>().ProducesProblem(404).ProducesProblem(503);
        v1.MapGet("/{issuer}/certificates", reading.GetCertificatesAsync)
            .For(ApiAction.Read, "Its certificates, a page at a time", "status is good, revoked or held; after is the next of the page before; limit is 1 to 1000, 100 where absent. With serial, hexadecimal or decimal (decimal:1234), that one or none.")
            .Produces<CertificateListView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503);
        v1.MapGet("/{issuer}/certificates/{serial}", reading.GetCertificateAsync)
            .For(ApiAction.Read, "A certificate: status, history, and the answers in the cache", "serial is hexadecimal (04D2, 04:d2, 0x4d2) or decimal (decimal:1234).")
            .Produces<CertificateView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503);
        v1.MapGet("/{issuer}/certificates/{serial}/explain", endpoints.ServiceProvider.GetRequiredService<ExplainEndpoint>().GetAsync)
            .For(ApiAction.Read, "What a relying party would hear of a certificate now, and why", "By this node; nothing is signed for it. hash is that of the CertID (sha1 where absent), nonce=true asks as with a nonce.")
            .Produces<ExplanationView>().ProducesProblem(400).ProducesProblem(404);
        MapFollowing(endpoints, v1);
        MapProofs(endpoints, v1);
        endpoints.MapGroup("/v1/cluster").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>())
            .MapGet("/", endpoints.ServiceProvider.GetRequiredService<ClusterEndpoint>().GetAsync)
            .For(ApiAction.Read, "The processes that answer together, and their store", "Of a host that is alone, that one. Who does not answer is listed without what only it could tell.")
            .Produces<ClusterView>();
        MapOperations(endpoints, v1);
        MapKeys(endpoints);
        MapDeliveries(endpoints);
        endpoints.MapOverview();
        MapSession(endpoints);
        MapRest(endpoints);
        return endpoints;
    }

    private static void MapBulk(IEndpointRouteBuilder endpoints, RouteGroupBuilder issuers)
    {
        issuers.MapPost("/{issuer}/imports", endpoints.ServiceProvider.GetRequiredService<ImportsEndpoint>().PostAsync)
            .For(ApiAction.Feed, "Imports a file: an OpenSSL index, a CSV table, NDJSON, or a CRL", "The body is the file. form is index, csv, ndjson or crl; dryRun=true records nothing. The answer has a line of progress now and then, one per problem (the first 10000), and a summary; without a summary send the same again.")
            .AddOpenApiOperationTransformer((operation, _, _) => DescribeFileAsync(operation, "application/octet-stream"))
            .Produces<ImportLineView>(200, FollowEndpoints.Lines).ProducesProblem(400).ProducesProblem(404);
        issuers.MapPost("/{issuer}/bulk", endpoints.ServiceProvider.GetRequiredService<BulkEndpoint>().PostAsync)
            .For(ApiAction.Feed, "Revokes, holds or releases many certificates", "The body lists serial numbers: a JSON array, or text with one per line, which has no limit; or issuedFrom and issuedTo choose by the time of issuance. The answer has a line of progress now and then, one per refusal (the first 10000), and a summary; without a summary send the same again: with the same id it goes on.")
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                operation.Parameters = [.. operation.Parameters ?? [], .. BulkParameters.Describe()];
                return DescribeFileAsync(operation, "application/json", "text/plain");
            })
            .Produces<BulkLineView>(200, FollowEndpoints.Lines).ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(415);
    }

    private static Task DescribeFileAsync(OpenApiOperation operation, params string[] types)
    {
        operation.RequestBody = new OpenApiRequestBody { Content = types.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = new OpenApiSchema() }) };
        return Task.CompletedTask;
    }

    private static void MapFollowing(IEndpointRouteBuilder endpoints, RouteGroupBuilder issuers)
    {
        const string How = "As application/x-ndjson a page, with limit 1 to 10000 (1000); as text/event-stream a stream that goes on, resumed by Last-Event-ID.";
        FollowEndpoints following = endpoints.ServiceProvider.GetRequiredService<FollowEndpoints>();
        issuers.MapGet("/{issuer}/journal", following.GetJournalAsync)
            .For(ApiAction.Read, "The events of an issuer, in their order", $"after is the last position that was read. {How}")
            .Produces<FollowedEventView>(200, FollowEndpoints.Lines, FollowEndpoints.Stream)
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(406).ProducesProblem(409).ProducesProblem(503);
        endpoints.MapGroup("/v1/events").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>()).MapGet("/", following.GetEventsAsync)
            .For(ApiAction.Read, "The events of all issuers within the caller's scopes", $"after is the cursor of the last event that was read. {How}")
            .Produces<FollowedEventView>(200, FollowEndpoints.Lines, FollowEndpoints.Stream)
            .ProducesProblem(400).ProducesProblem(406).ProducesProblem(409).ProducesProblem(503);
    }

    private static void MapProofs(IEndpointRouteBuilder endpoints, RouteGroupBuilder issuers)
    {
        ProofEndpoints proofs = endpoints.ServiceProvider.GetRequiredService<ProofEndpoints>();
        issuers.MapGet("/{issuer}/checkpoint", proofs.GetCheckpointAsync)
            .For(ApiAction.Read, "The latest signed checkpoint of an issuer's journal", "A C2SP tlog-checkpoint, signed anew at most every minute.")
            .Produces<string>(200, "text/plain").ProducesProblem(404).ProducesProblem(500).ProducesProblem(503);
        issuers.MapGet("/{issuer}/proofs/inclusion", proofs.GetInclusionAsync)
            .For(ApiAction.Read, "Proves that the entry at a position is in the journal", "position is 1 to size; size is a checkpoint's.")
            .Produces<InclusionView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503);
        issuers.MapGet("/{issuer}/proofs/consistency", proofs.GetConsistencyAsync)
            .For(ApiAction.Read, "Proves that the journal only grew", "from and to are the sizes of two checkpoints.")
            .Produces<ConsistencyView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503);
    }

    private static void MapOperations(IEndpointRouteBuilder endpoints, RouteGroupBuilder issuers)
    {
        OperationsEndpoints operations = endpoints.ServiceProvider.GetRequiredService<OperationsEndpoints>();
        issuers.MapGet("/{issuer}/refresh", operations.GetRefreshAsync)
            .For(ApiAction.Read, "How fresh the answers are kept: backlog, time to the first expiry, signatures")
            .Produces<RefreshView>().ProducesProblem(404);
        issuers.MapGet("/{issuer}/credentials", operations.GetCredentials)
            .For(ApiAction.Read, "Who signs: validity, part, queue, last error, and what is wrong with their files")
            .Produces<CredentialsView>().ProducesProblem(404);
        issuers.MapGet("/{issuer}/resign", operations.GetResignAsync)
            .For(ApiAction.Read, "How far the last re-signing of everything is, and when it ends")
            .Produces<ResignView>().ProducesProblem(404);
        issuers.MapPost("/{issuer}/resign", operations.PostResignAsync)
            .For(ApiAction.Operator, "Has every answer signed anew, as after the compromise of a responder's key", "signaturesPerSecond is 1 to 1000000, the policy's where absent; the body may be absent.")
            .AddOpenApiOperationTransformer(async (operation, context, cancellationToken) => operation.RequestBody = new OpenApiRequestBody
            {
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(ResignBody), null, cancellationToken).ConfigureAwait(false) },
                },
            })
            .Produces<ResignView>(202).ProducesProblem(400).ProducesProblem(404);
        issuers.MapPost("/{issuer}/plan", endpoints.ServiceProvider.GetRequiredService<PlanEndpoint>().PostAsync)
            .For(ApiAction.Operator, "Measures the issuer's key for a second, and tells whether it keeps the answers fresh", "certificates is how many there will be; those that are recorded where absent. What is asked for meanwhile waits in the same queue.")
            .Produces<PlanView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        RouteGroupBuilder clock = endpoints.MapGroup("/v1/clock").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>());
        clock.MapGet("/", operations.GetClock)
            .For(ApiAction.Read, "Whether the clock can be signed by")
            .Produces<ClockView>();
        clock.MapPost("/accept", (Delegate)operations.PostClockAcceptAsync) // else it is taken for a RequestDelegate, and what it returns is dropped
            .For(ApiAction.Operator, "Takes the clock for right as it is now", "Needs the scope for all issuers, for all are signed by it.", ofAllIssuers: true)
            .Produces<ClockView>();
    }

    private static void MapKeys(IEndpointRouteBuilder endpoints)
    {
        KeyEndpoints keys = endpoints.ServiceProvider.GetRequiredService<KeyEndpoints>();
        RouteGroupBuilder group = endpoints.MapGroup("/v1/keys").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>());
        group.MapGet("/", keys.Get)
            .For(ApiAction.Operator, "The API keys without their secrets, oldest first", "Needs the scope for all issuers.", ofAllIssuers: true)
            .Produces<KeyListView>();
        group.MapPost("/", (Delegate)keys.PostAsync)
            .For(ApiAction.Operator, "Makes an API key, and tells it this once", "Needs the scope for all issuers.", ofAllIssuers: true)
            .AddOpenApiOperationTransformer(async (operation, context, cancellationToken) => operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(KeyBody), null, cancellationToken).ConfigureAwait(false) } },
            })
            .Produces<NewKeyView>(201).ProducesProblem(400);
        group.MapDelete("/{id}", keys.Delete)
            .For(ApiAction.Operator, "Revokes an API key: it is refused from the next request on", "Needs the scope for all issuers.", ofAllIssuers: true)
            .Produces(204).ProducesProblem(404);
    }

    // Routing answers a wrong path or method without a body: a client that reads problem details gets them here, too.
    private static void MapRest(IEndpointRouteBuilder endpoints)
    {
        if (endpoints is IApplicationBuilder app)
        {
            app.UseWhen(
                context => context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal),
                v1 => v1.UseStatusCodePages(static async pages =>
                {
                    HttpResponse response = pages.HttpContext.Response;
                    IResult? problem = response.StatusCode switch
                    {
                        StatusCodes.Status404NotFound => AdminProblems.Create(404, "No such resource", "There is nothing under this path; /openapi/v1.json names what there is."),
                        StatusCodes.Status405MethodNotAllowed => AdminProblems.Create(405, "Not this method", $"Here it is {response.Headers.Allow}."),
                        _ => null,
                    };
                    await (problem?.ExecuteAsync(pages.HttpContext) ?? Task.CompletedTask).ConfigureAwait(false);
                }));
        }
    }

    private static void MapSession(IEndpointRouteBuilder endpoints)
    {
        SessionEndpoints sessions = endpoints.ServiceProvider.GetRequiredService<SessionEndpoints>();
        RouteGroupBuilder session = endpoints.MapGroup("/session").WithTags("Session");
        session.MapGet("/", (Delegate)sessions.GetAsync) // else they are taken for RequestDelegates, and what they return is dropped
            .WithSummary("Who calls, and what they may do").WithDescription("Needs no credential: without a valid one, who is null.")
            .Produces<SessionView>();
        session.MapPost("/", (Delegate)sessions.PostAsync)
            .WithSummary("Begins a session of a browser").WithDescription($"The answer sets a cookie that is taken in place of the key. The request has the header {SessionCookie.CsrfHeader}, as has every later one that changes something.")
            .Accepts<SessionBody>("application/json")
            .Produces<SessionView>().ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(429);
        session.MapDelete("/", sessions.Delete)
            .WithSummary("Ends it").Produces(204).ProducesProblem(403);
    }

    private static void MapDeliveries(IEndpointRouteBuilder endpoints)
    {
        DeliveryEndpoints deliveries = endpoints.ServiceProvider.GetRequiredService<DeliveryEndpoints>();
        RouteGroupBuilder webhooks = endpoints.MapGroup("/v1/webhooks").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>());
        webhooks.MapGet("/", deliveries.GetList)
            .For(ApiAction.Read, "Where each webhook and each cache to purge is in the journals within the caller's scopes")
            .Produces<DeliveryListView>();
        webhooks.MapPost("/{name}/issuers/{issuer}/resume", deliveries.ResumeAsync)
            .For(ApiAction.Operator, "Ends the pause of a webhook or a purge, or has it tried at once", "after is the position to go on behind; without it, it goes on where it was.")
            .Produces(204).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503);
    }

    // Not by Accepts: routing would then answer other content types itself, before it is known who asks, and without a word.
    private static async Task DescribeBodyAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        OpenApiSchema batch = await context.GetOrCreateSchemaAsync(typeof(EventsBody), null, cancellationToken).ConfigureAwait(false);
        OpenApiSchema @event = await context.GetOrCreateSchemaAsync(typeof(EventBody), null, cancellationToken).ConfigureAwait(false);
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Description = "One event or a batch of at most 10,000. As application/x-ndjson any number, one per line; the answer is then one outcome per line and a summary.",
            Content = EventBatch.MediaTypes.Split(", ").ToDictionary(
                type => type,
                type => new OpenApiMediaType { Schema = type == "application/json" ? batch : type == "application/x-ndjson" ? @event : new OpenApiSchema { Description = "CloudEvents 1.0; data has the fields of an event but id." } }),
        };
    }

    /// <summary>Says what an endpoint needs and does, to the filter and in the OpenAPI document.</summary>
    internal static RouteHandlerBuilder For(this RouteHandlerBuilder endpoint, ApiAction action, string summary, string? description = null, bool ofAllIssuers = false) => endpoint
        .WithMetadata(new RequiredAction(action, ofAllIssuers))
        .WithTags(action.ToString())
        .WithSummary(summary)
        .WithDescription($"Needs the scope {action.ToString().ToLowerInvariant()}. {description}".TrimEnd())
        .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests);
}
