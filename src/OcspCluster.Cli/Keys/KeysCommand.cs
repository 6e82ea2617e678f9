using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Keys;

namespace OcspCluster.Cli;

/// <summary>The verb <c>keys</c>: the API keys of a responder, through its API or in its data directory.</summary>
internal sealed class KeysCommand : Command
{
    public KeysCommand(Screen screen, TimeProvider clock)
        : base("keys", "List, make and revoke API keys")
    {
        Add(new ListCommand(screen, clock));
        Add(new CreateCommand(screen, clock));
        Add(new RevokeCommand(screen, clock));
    }

    /// <summary>The keys of a data directory, whether its responder runs or not.</summary>
    private static Task<T> WithStoreAsync<T>(ParseResult parsed, Func<ApiKeyStore, T> work) =>
        LocalData.GuardAsync(() => Task.FromResult(work(KeysRun.Open(LocalData.ReadSettings(parsed)))));

    private static bool IsLocal(ParseResult parsed) => parsed.GetValue(AdminSettings.Data) is not null;

    /// <summary>A key as it is shown.</summary>
    private sealed record KeyText(string Id, string Name, string State, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt)
    {
        public static KeyText Of(ApiKey key, DateTimeOffset now) =>
            new(key.Id, key.Name, key.RevokedAt is not null ? "revoked" : key.IsValidAt(now) ? "valid" : "expired", key.Scopes, key.CreatedAt, key.ExpiresAt, key.RevokedAt);
    }

    private sealed class ListCommand : AdminCommand
    {
        private readonly TimeProvider _clock;

        public ListCommand(Screen screen, TimeProvider clock)
            : base(screen, "list", "Show the keys without their secrets")
        {
            _clock = clock;
            Take([AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
        }

        protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
        {
            DateTimeOffset now = _clock.GetUtcNow();
            KeyText[] keys;
            if (IsLocal(parsed))
            {
                keys = await WithStoreAsync(parsed, store => store.List().Select(key => KeyText.Of(key, now)).ToArray()).ConfigureAwait(false);
            }
            else
            {
                using AdminApi api = AdminSettings.Open(parsed);
                keys = (await api.GetAsync("/v1/keys", cancellationToken).ConfigureAwait(false)).GetProperty("keys").Deserialize<KeyText[]>(AdminApi.Json)!;
            }

            if (IsJson(parsed))
            {
                foreach (KeyText key in keys)
                {
                    Screen.Output.WriteLine(JsonSerializer.Serialize(key, CheckJson.Options));
                }

                return ExitCode.Good;
            }

            Screen.Table(
                ["id", "state", "scopes*", "made", "expires", "name"],
                keys.Select(key => (string[])[key.Id, key.State, string.Join(' ', key.Scopes), Day(key.CreatedAt), key.ExpiresAt is DateTimeOffset end ? Day(end) : "never", key.Name]));
            return ExitCode.Good;
        }

        private string Day(DateTimeOffset time) => Screen.IsTerminal ? time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : TimeText.Of(time);
    }

    private sealed class CreateCommand : AdminCommand
    {
        private readonly TimeProvider _clock;
        private readonly Option<string> _name = new("--name") { Description = "What you call it", HelpName = "NAME", Required = true };
        private readonly Option<string[]> _scope = new("--scope") { Description = "What it allows: read, feed or operator, for one issuer as feed:ID, for all without; may be repeated", HelpName = "SCOPE", Required = true };
        private readonly Option<int?> _days = new("--days") { Description = "How long it is taken (default: for ever)", HelpName = "N" };

        public CreateCommand(Screen screen, TimeProvider clock)
            : base(screen, "create", "Make a key and print it, this once")
        {
            _clock = clock;
            Take([_name, _scope, _days, AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
        }

        protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
        {
            string name = parsed.GetRequiredValue(_name);
            string[] scopes = parsed.GetRequiredValue(_scope);
            int? days = parsed.GetValue(_days);
            ApiScope[] allowed = [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new CommandFailure($"--scope: '{text}' is not {ApiScope.Rule}.", ExitCode.Usage))];
            if (days is < 1 or > 36_500)
            {
                throw new CommandFailure("--days: it is from 1 to 36500.", ExitCode.Usage);
            }

            string bearer;
            KeyText key;
            if (IsLocal(parsed))
            {
                (bearer, key) = await WithStoreAsync(parsed, store =>
                {
                    (string made, ApiKey kept) = store.Create(name, allowed, days is int count ? TimeSpan.FromDays(count) : null);
                    return (made, KeyText.Of(kept, _clock.GetUtcNow()));
                }).ConfigureAwait(false);
            }
            else
            {
                using AdminApi api = AdminSettings.Open(parsed);
                JsonElement made = await api.SendAsync(HttpMethod.Post, "/v1/keys", JsonSerializer.Serialize(new { name, scopes, days }, AdminApi.Json), cancellationToken).ConfigureAwait(false);
                (bearer, key) = (made.GetProperty("bearer").GetString()!, made.GetProperty("key").Deserialize<KeyText>(AdminApi.Json)!);
            }

            // The key alone goes to the output, so that it can be piped into a file.
            Screen.Output.WriteLine(IsJson(parsed) ? JsonSerializer.Serialize(new { Bearer = bearer, Key = key }, CheckJson.Options) : bearer);
            if (!IsJson(parsed))
            {
                Screen.Error.WriteLine($"Keep it: it is nowhere else. 'ocspctl keys revoke {key.Id}' revokes it.");
            }

            return ExitCode.Good;
        }
    }

    private sealed class RevokeCommand : AdminCommand
    {
        private readonly Argument<string> _id = new("ID") { Description = "The part of the key before the point" };
        private readonly TimeProvider _clock;

        public RevokeCommand(Screen screen, TimeProvider clock)
            : base(screen, "revoke", "Revoke a key: it is refused from the next request on")
        {
            _clock = clock;
            Add(_id);
            Take([AdminSettings.Data, AdminSettings.Config, .. AdminSettings.All]);
        }

        protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
        {
            string id = parsed.GetRequiredValue(_id).Split('.')[0];
            if (!IsLocal(parsed))
            {
                using AdminApi api = AdminSettings.Open(parsed);
                await api.SendAsync(HttpMethod.Delete, "/v1/keys/" + Uri.EscapeDataString(id), body: null, cancellationToken).ConfigureAwait(false);
            }
            else if (!await WithStoreAsync(parsed, store => store.Revoke(id)).ConfigureAwait(false))
            {
                throw new CommandFailure($"There is no key '{id}'; 'ocspctl keys list' shows them all.", ExitCode.Usage);
            }

            Screen.Output.WriteLine(IsJson(parsed) ? JsonSerializer.Serialize(new { Id = id, RevokedAt = _clock.GetUtcNow() }, CheckJson.Options) : $"{Printable.Of(id)}: revoked. It is refused from the next request on.");
            return ExitCode.Good;
        }
    }
}
