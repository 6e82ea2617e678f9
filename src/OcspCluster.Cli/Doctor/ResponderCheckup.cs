using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace OcspCluster.Cli;

/// <summary>An issuer as the doctor asks for it from outside.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Certificate">Its certificate.</param>
/// <param name="Serials">Some serial numbers that are known, one for each status.</param>
internal sealed record AskedIssuer(string Id, X509Certificate2 Certificate, IReadOnlyList<string> Serials);

/// <summary>Asks a responder through its admin API how it is.</summary>
internal sealed class ResponderCheckup(AdminApi api, TimeProvider clock)
{
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_keyWarning = TimeSpan.FromDays(14);

    private readonly List<Finding> _findings = [];

    /// <summary>The issuers that were found.</summary>
    public List<AskedIssuer> Issuers { get; } = [];

    /// <summary>What is found; a responder that cannot be asked is a finding.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAtHealthAsync(cancellationToken).ConfigureAwait(false);
            await LookAtClockAsync(cancellationToken).ConfigureAwait(false);
            await LookAtClusterAsync(cancellationToken).ConfigureAwait(false);
            foreach (string issuer in await api.FindIssuersAsync(cancellationToken).ConfigureAwait(false))
            {
                await LookAtIssuerAsync(issuer, cancellationToken).ConfigureAwait(false);
            }

            await LookAtDeliveriesAsync(cancellationToken).ConfigureAwait(false);
            await LookAtKeysAsync(cancellationToken).ConfigureAwait(false);
            await LookAtOverviewAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            _findings.Add(Finding.Critical("admin API", failure.Message, "Without it the rest was not looked at. Is the host running, and the key right? Its log says what it listens on."));
        }

        return _findings;
    }

    private async Task LookAtHealthAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await api.AskAsync("/health/ready", cancellationToken).ConfigureAwait(false);
        if (response.Headers.Date is DateTimeOffset there && (there - clock.GetUtcNow()).Duration() > s_skew)
        {
            _findings.Add(Finding.Warning("clock", string.Create(CultureInfo.InvariantCulture, $"The responder's clock differs from this machine's by {TimeText.Length((there - clock.GetUtcNow()).Duration())}."), "Find out which is wrong ('chronyc tracking'): clients refuse answers from the future."));
        }

        JsonElement health;
        try
        {
            health = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)).RootElement;
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{api.Uri}health/ready answers {(int)response.StatusCode} and no JSON: is it a responder's admin listener?");
        }

        string[] notReady = Texts(health, "notReady");
        foreach (string reason in notReady)
        {
            _findings.Add(Finding.Critical("readiness", Sentence(reason), "It takes itself out of service until that is mended."));
        }

        foreach (string warning in Texts(health, "warnings"))
        {
            _findings.Add(Finding.Warning("readiness", Sentence(warning), "docs/OPERATIONS.md, Health, says what each means."));
        }

        if (notReady.Length == 0)
        {
            _findings.Add(Finding.Ok("readiness", "It is ready."));
        }
    }

    private async Task LookAtClockAsync(CancellationToken cancellationToken)
    {
        JsonElement told = await api.GetAsync("/v1/clock", cancellationToken).ConfigureAwait(false);
        _findings.Add(told.GetProperty("state").GetString() == "sound"
            ? Finding.Ok("clock", "It is taken for right: answers are dated by it.")
            : Finding.Critical("clock", $"Nothing is signed: {told.GetProperty("problem").GetString()}.", "Set it right; or, if it is right, POST /v1/clock/accept."));
    }

    private async Task LookAtClusterAsync(CancellationToken cancellationToken)
    {
        JsonElement cluster = await api.GetAsync("/v1/cluster", cancellationToken).ConfigureAwait(false);
        JsonElement store = cluster.GetProperty("store");
        string description = store.GetProperty("description").GetString()!;
        _findings.Add(
            !store.GetProperty("isReachable").GetBoolean() ? Finding.Critical("store", description, "Bring it back: events are not acknowledged, and what is not in a cache cannot be answered.")
            : !store.GetProperty("takesEvents").GetBoolean() ? Finding.Critical("store", description, "Events are refused: make it durable (Redis: appendonly yes, appendfsync always), or give the disk room.")
            : !store.GetProperty("isDurable").GetBoolean() ? Finding.Critical("store", description, "A loss of power loses acknowledged events: set appendonly yes and appendfsync always.")
            : Finding.Ok("store", description));
        JsonElement[] nodes = [.. cluster.GetProperty("nodes").EnumerateArray()];
        foreach (JsonElement node in nodes)
        {
            string name = node.GetProperty("name").GetString()!;
            if (node.GetProperty("state").GetString() is not "active" and var state)
            {
                _findings.Add(Finding.Warning("cluster", $"The node {name} is {state}.", "If that is not meant, look at its log and start it again."));
            }
            else if (node.GetProperty("role").ValueKind == JsonValueKind.Null)
            {
                _findings.Add(Finding.Warning("cluster", $"The node {name} does not answer the others.", "Look at its load and at the network between the nodes."));
            }
        }

        string[] versions = [.. nodes.Select(node => node.GetProperty("version").GetString()).OfType<string>().Distinct()];
        if (versions.Length > 1)
        {
            _findings.Add(Finding.Warning("cluster", $"The nodes are of several versions: {string.Join(", ", versions)}.", "Finish the upgrade."));
        }

        if (!nodes.Any(node => node.GetProperty("role").GetString() == "signer"))
        {
            _findings.Add(Finding.Critical("cluster", "No node signs.", "Start one that has the keys (Cluster:Role)."));
        }
    }

    private async Task LookAtIssuerAsync(string id, CancellationToken cancellationToken)
    {
        string area = $"issuer '{id}'";
        int before = _findings.Count;
        JsonElement issuer = await api.GetAsync($"/v1/issuers/{id}", cancellationToken).ConfigureAwait(false);
        JsonElement credentials = await api.GetAsync($"/v1/issuers/{id}/credentials", cancellationToken).ConfigureAwait(false);
        JsonElement refresh = await api.GetAsync($"/v1/issuers/{id}/refresh", cancellationToken).ConfigureAwait(false);
        foreach (string error in Texts(credentials, "fileErrors"))
        {
            _findings.Add(Finding.Warning(area, Sentence(error), "The former credential signs on: put right files in their place."));
        }

        JsonElement[] signers = [.. credentials.GetProperty("credentials").EnumerateArray()];
        foreach (JsonElement signer in signers.Where(signer => signer.GetProperty("isFailing").GetBoolean()))
        {
            _findings.Add(Finding.Critical(area, $"'{signer.GetProperty("subject").GetString()}' does not sign: {signer.GetProperty("lastError").GetString()}", "Look at the key, or the HSM; cached answers go on until their nextUpdate."));
        }

        if (!signers.Any(signer => signer.GetProperty("role").GetString() == "inUse"))
        {
            _findings.Add(Finding.Critical(area, "No credential is in use: nothing can be signed.", "Renew the responder's certificate."));
        }

        LookAtRefresh(area, refresh);
        foreach (JsonElement source in issuer.GetProperty("sources").EnumerateArray().Where(source => source.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.String))
        {
            _findings.Add(Finding.Warning(area, $"A source of revocations fails: {source.GetProperty("error").GetString()}", "Until it can be read again, what it revokes is not known here."));
        }

        if (_findings.Count == before)
        {
            DateTimeOffset end = signers.Where(signer => signer.GetProperty("role").GetString() == "inUse").Min(signer => signer.GetProperty("notAfter").GetDateTimeOffset());
            _findings.Add(Finding.Ok(area, string.Create(CultureInfo.InvariantCulture, $"It signs; its responder's certificate ends {TimeText.Relative(end, clock.GetUtcNow())}.")));
        }

        await NoteAsync(id, issuer, cancellationToken).ConfigureAwait(false);
    }

    private void LookAtRefresh(string area, JsonElement refresh)
    {
        if (refresh.GetProperty("isResting").GetBoolean())
        {
            _findings.Add(Finding.Critical(area, "Nothing is signed ahead, because nobody could sign.", "Look at the credentials above."));
        }

        bool isLate = refresh.GetProperty("timeToFirstExpiry").GetString() is string text && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan left) && left < TimeSpan.Zero;
        int backlog = refresh.GetProperty("backlog").GetInt32();
        if (isLate)
        {
            _findings.Add(Finding.Critical(area, string.Create(CultureInfo.InvariantCulture, $"Answers that are to be kept fresh have ended; {backlog:N0} are due."), "'ocspctl plan' tells whether key and budget suffice; raise RefreshSignaturesPerSecond, or Validity."));
        }
    }

    private async Task NoteAsync(string id, JsonElement issuer, CancellationToken cancellationToken)
    {
        List<string> serials = [];
        foreach (string status in new[] { "good", "revoked" })
        {
            JsonElement page = await api.GetAsync($"/v1/issuers/{id}/certificates?status={status}&limit=1", cancellationToken).ConfigureAwait(false);
            serials.AddRange(page.GetProperty("certificates").EnumerateArray().Select(certificate => certificate.GetProperty("serial").GetString()!));
        }

        Issuers.Add(new AskedIssuer(id, X509Certificate2.CreateFromPem(issuer.GetProperty("certificates")[0].GetProperty("pem").GetString()!), serials));
    }

    private async Task LookAtDeliveriesAsync(CancellationToken cancellationToken)
    {
        foreach (JsonElement delivery in (await api.GetAsync("/v1/webhooks", cancellationToken).ConfigureAwait(false)).GetProperty("webhooks").EnumerateArray())
        {
            string area = $"{delivery.GetProperty("kind").GetString()} '{delivery.GetProperty("name").GetString()}'";
            string behind = string.Create(CultureInfo.InvariantCulture, $"{delivery.GetProperty("lagEntries").GetInt64():N0} events behind");
            _findings.Add(delivery.GetProperty("state").GetString() switch
            {
                "paused" => Finding.Critical(area, $"It is paused, {behind}: {delivery.GetProperty("pausedBecause").GetString()}", "Mend the receiver, then POST /v1/webhooks/NAME/issuers/ISSUER/resume."),
                "retrying" => Finding.Warning(area, $"It fails, {behind}: {delivery.GetProperty("lastFailure").GetString()}", "Look at the receiver; it is tried again by itself."),
                _ => Finding.Ok(area, $"It delivers, {behind}."),
            });
        }
    }

    // What it finds out about itself, as far as it was not found above.
    private async Task LookAtOverviewAsync(CancellationToken cancellationToken)
    {
        if (await api.FindAsync("/v1/overview", cancellationToken).ConfigureAwait(false) is not JsonElement overview)
        {
            return; // an older responder
        }

        foreach (JsonElement finding in overview.GetProperty("findings").EnumerateArray())
        {
            string message = finding.GetProperty("message").GetString()!;
            if (_findings.Exists(one => one.Message.Contains(message.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            string cure = finding.GetProperty("cure").GetString() ?? "docs/OPERATIONS.md says more.";
            string area = finding.GetProperty("code").GetString()!;
            _findings.Add(finding.GetProperty("severity").GetString() == "critical" ? Finding.Critical(area, Sentence(message), cure) : Finding.Warning(area, Sentence(message), cure));
        }
    }

    private async Task LookAtKeysAsync(CancellationToken cancellationToken)
    {
        JsonElement list;
        try
        {
            list = await api.GetAsync("/v1/keys", cancellationToken).ConfigureAwait(false);
        }
        catch (CommandFailure)
        {
            return; // the key that asks may not see the others: that is as it should be
        }

        DateTimeOffset now = clock.GetUtcNow();
        foreach (JsonElement key in list.GetProperty("keys").EnumerateArray().Where(key => key.GetProperty("state").GetString() == "valid"))
        {
            if (key.GetProperty("expiresAt").ValueKind == JsonValueKind.String && key.GetProperty("expiresAt").GetDateTimeOffset() is var end && end - now < s_keyWarning)
            {
                _findings.Add(Finding.Warning("API keys", $"The key {key.GetProperty("id").GetString()} ({key.GetProperty("name").GetString()}) expires {TimeText.Relative(end, now)}.", "Make another: ocspctl keys create; then give it to who uses this one."));
            }
        }
    }

    private static string[] Texts(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    private static string Sentence(string text) => text.Length == 0 ? text : $"{char.ToUpperInvariant(text[0])}{text[1..].TrimEnd('.')}.";
}
