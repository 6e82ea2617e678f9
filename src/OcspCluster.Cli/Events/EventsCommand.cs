using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace OcspCluster.Cli;

/// <summary>The verb <c>events</c>: what was applied, from the beginning or from where one was, and with <c>--follow</c> as it happens.</summary>
internal sealed class EventsCommand : AdminCommand
{
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _clock;
    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Go on with what happens from now on, over interruptions too, until Ctrl-C" };
    private readonly Option<string?> _after = new("--after") { Description = "Begin behind this cursor, as events carry it (for one issuer: a position)", HelpName = "CURSOR" };
    private readonly Option<string?> _cursorFile = new("--cursor-file") { Description = "Keep the last cursor in this file, and begin behind it the next time", HelpName = "FILE" };

    public EventsCommand(Screen screen, TimeProvider clock)
        : base(screen, "events", "Show what was applied: of all issuers, or of one")
    {
        _clock = clock;
        Take([_follow, _after, _cursorFile, AdminSettings.Issuer, .. AdminSettings.All]);
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using AdminApi api = AdminSettings.Open(parsed);
        string path = parsed.GetValue(AdminSettings.Issuer) is string issuer ? $"/v1/issuers/{Uri.EscapeDataString(issuer)}/journal" : "/v1/events";
        string? cursorFile = parsed.GetValue(_cursorFile);
        string? after = parsed.GetValue(_after) ?? (cursorFile is not null && File.Exists(cursorFile) ? Files.ReadList(cursorFile) is [string last, ..] ? last : null : null);
        Reader reader = new(this, IsJson(parsed), cursorFile, after);
        if (!parsed.GetValue(_follow))
        {
            await ReadAllAsync(api, path, reader, cancellationToken).ConfigureAwait(false);
            return ExitCode.Good;
        }

        try
        {
            await FollowAsync(api, path, reader, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // That is how one stops to follow.
        }

        return ExitCode.Good;
    }

    private static async Task ReadAllAsync(AdminApi api, string path, Reader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            IReadOnlyList<JsonElement> page = await api.GetLinesAsync($"{path}?limit=1000{(reader.Cursor is null ? "" : "&after=" + Uri.EscapeDataString(reader.Cursor))}", cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
            {
                return;
            }

            foreach (JsonElement @event in page)
            {
                reader.Take(@event);
            }
        }
    }

    private async Task FollowAsync(AdminApi api, string path, Reader reader, CancellationToken cancellationToken)
    {
        TimeSpan pause = TimeSpan.FromSeconds(1);
        bool wasConnected = false;
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await api.OpenStreamAsync(path, reader.Cursor, cancellationToken).ConfigureAwait(false);
                wasConnected = true;
                pause = TimeSpan.FromSeconds(1);
                await foreach (ServerSentEvent @event in ServerSentEvents.ReadAsync(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
                {
                    using JsonDocument json = JsonDocument.Parse(@event.Data);
                    reader.Take(json.RootElement);
                }

                Screen.Complain("The responder ended the stream; connecting again.");
            }
            catch (Exception e) when (e is IOException or HttpRequestException or CommandFailure { IsTransient: true } && wasConnected)
            {
                Screen.Complain(string.Create(CultureInfo.InvariantCulture, $"{e.Message} Connecting again in {pause.TotalSeconds:0} s."));
            }

            await Task.Delay(pause, _clock, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
        }
    }

    /// <summary>Shows events and remembers how far it is.</summary>
    private sealed class Reader(EventsCommand command, bool isJson, string? cursorFile, string? after)
    {
        public string? Cursor { get; private set; } = after;

        public void Take(JsonElement @event)
        {
            if (isJson)
            {
                command.Screen.Output.WriteLine(@event.GetRawText());
            }
            else
            {
                Print(@event.Deserialize<EventView>(AdminApi.Json)!);
            }

            command.Screen.Output.Flush(); // who follows through a pipe wants to see it now
            Cursor = @event.GetProperty("cursor").GetString()!;
            if (cursorFile is not null)
            {
                Files.Write(cursorFile, System.Text.Encoding.ASCII.GetBytes(Cursor + "\n"));
            }
        }

        private void Print(EventView @event)
        {
            string place = string.Create(CultureInfo.InvariantCulture, $"{@event.Issuer}:{@event.Position}");
            string more = (@event.Reason is null ? "" : ", " + @event.Reason) + (@event.InvalidityDate is DateTimeOffset since ? $", compromised since {TimeText.Of(since)}" : "");
            if (command.Screen.IsTerminal)
            {
                command.Screen.Line((TimeText.Of(@event.ReceivedAt), Styles.Faint), ($"  {place,-14} ", default), ($"{@event.Kind,-8}", Styles.OfKind(@event.Kind)), ($"  {@event.Serial}{more}", default));
            }
            else
            {
                command.Screen.Output.WriteLine(string.Join('\t', new[] { TimeText.Of(@event.ReceivedAt), place, @event.Kind, @event.Serial, @event.Reason ?? "", @event.Id }.Select(Printable.Of)));
            }
        }
    }

    private sealed record EventView(string Issuer, long Position, string Id, string Serial, string Kind, string? Reason, DateTimeOffset? InvalidityDate, DateTimeOffset ReceivedAt);
}
