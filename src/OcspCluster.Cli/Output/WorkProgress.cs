using System.Globalization;
using Spectre.Console;

namespace OcspCluster.Cli;

/// <summary>How far long work is: a bar on a terminal, a line now and then elsewhere. On the error output, so that results can be piped.</summary>
internal sealed class WorkProgress(Screen screen, TimeProvider clock)
{
    private static readonly TimeSpan s_elsewhere = TimeSpan.FromSeconds(10);

    /// <summary>Works, and is told how far it is: the part that is done (0 to 1; null when it cannot be known) and a few words.</summary>
    /// <param name="what">What is done.</param>
    /// <param name="work">Does it.</param>
    /// <param name="isShort">Whether it is over before anybody could look.</param>
    public async Task<T> RunAsync<T>(string what, Func<Action<double?, string>, Task<T>> work, bool isShort = false)
    {
        if (!screen.HasProgress || isShort)
        {
            long toldAt = clock.GetTimestamp();
            return await work((done, words) =>
            {
                if (clock.GetElapsedTime(toldAt) >= s_elsewhere)
                {
                    toldAt = clock.GetTimestamp();
                    screen.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {words}{(done is double part ? $", {part:P0}" : "")}"));
                }
            }).ConfigureAwait(false);
        }

        T result = default!;
        Progress progress = screen.ErrorConsole.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn());
        await progress.StartAsync(async context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(what), maxValue: 1);
            task.IsIndeterminate = true;
            result = await work((done, words) =>
            {
                task.IsIndeterminate = done is null;
                task.Value = done ?? 0;
                task.Description = Markup.Escape(words);
            }).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return result;
    }
}
