using System.Globalization;

namespace OcspCluster.Hosting.Configuration;

/// <summary>Reads values by their keys, and keeps what is wrong instead of stopping at the first.</summary>
internal sealed class SettingsReader(Settings settings)
{
    private readonly List<ConfigurationProblem> _problems = [];
    private readonly List<ConfigurationProblem> _warnings = [];

    public Settings Settings => settings;

    /// <summary>Whether private keys are loaded; where not, the files that hold them are not opened.</summary>
    public bool LoadsPrivateKeys { get; init; } = true;

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    public IReadOnlyList<ConfigurationProblem> Warnings => _warnings;

    public void Report(string key, string? value, string problem) => _problems.Add(new(key, value, problem));

    public void Report(IEnumerable<ConfigurationProblem> problems) => _problems.AddRange(problems);

    public void Warn(string key, string? value, string problem) => _warnings.Add(new(key, value, problem));

    /// <summary>A text; null when it is absent or empty.</summary>
    public string? Text(string key) => settings.Section(key).Value is { Length: > 0 } text ? text : null;

    /// <summary>A list, or one text with <c>;</c> between its parts; empty when absent.</summary>
    public IReadOnlyList<string> List(string key)
    {
        IConfigurationSection section = settings.Section(key);
        return section.Value is { Length: > 0 } text
            ? text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [.. section.GetChildren().Select(child => child.Value ?? "")];
    }

    public int Integer(string key, int @default, int least = int.MinValue, int most = int.MaxValue) => (int)Integer(key, (long)@default, least, most);

    public long Integer(string key, long @default, long least = long.MinValue, long most = long.MaxValue) =>
        Read(key, @default, $"a whole number, {least} to {most}",
            text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most ? value : null);

    public double Number(string key, double @default, double least = double.MinValue, double most = double.MaxValue) =>
        Read(key, @default, string.Create(CultureInfo.InvariantCulture, $"a number with a decimal point, {least} to {most}"),
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most ? value : null);

    public bool Boolean(string key, bool @default) =>
        Read(key, @default, "true or false", text => bool.TryParse(text, out bool value) ? value : null);

    // A bare number is refused: .NET would take 30 for thirty days.
    public TimeSpan Duration(string key, TimeSpan @default, TimeSpan? least = null, TimeSpan? most = null) =>
        Read(key, @default, $"a duration as [d.]hh:mm:ss{(least is null ? "" : $", {least} to {most}")}",
            text => text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan value)
                && !(value < least) && !(value > most) ? value : null);

    public TEnum Choice<TEnum>(string key, TEnum @default)
        where TEnum : struct, Enum =>
        Read(key, @default, "one of " + string.Join(", ", Enum.GetNames<TEnum>()),
            text => Enum.GetNames<TEnum>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<TEnum>(text, ignoreCase: true) : null);

    private T Read<T>(string key, T @default, string expected, Func<string, T?> parse)
        where T : struct
    {
        if (Text(key) is not string text)
        {
            return @default;
        }

        T? value = parse(text.Trim());
        if (value is null)
        {
            Report(key, text, $"is not {expected}");
        }

        return value ?? @default;
    }
}
