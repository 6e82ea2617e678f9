using System.Globalization;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>How much is measured: the quick mode takes less than a minute, the full one about a quarter of an hour.</summary>
internal sealed record MacroOptions
{
    public bool IsFull { get; private init; }

    public string? JsonFile { get; private init; }

    public int Certificates { get; private init; } = 10_000;

    public int Rounds { get; private init; } = 3;

    public TimeSpan Duration { get; private init; } = TimeSpan.FromSeconds(1);

    /// <summary>When no further round begins that would end later; what was measured until then is reported.</summary>
    public TimeSpan Limit { get; private init; } = TimeSpan.FromMinutes(5);

    /// <summary>Where the silo was built, when it is not where the build puts it.</summary>
    public string? SiloFolder { get; private init; }

    private string[] Only { get; init; } = [];

    public IReadOnlyList<Scenario> Scenarios { get; init; } = [];

    public bool Wants(string peer) => Only.Length == 0 || Only.Contains(peer, StringComparer.Ordinal);

    /// <summary>Null when the arguments are none.</summary>
    /// <param name="arguments">What the user wrote.</param>
    /// <param name="scenarios">The loads, as far as options decide; those of <c>macro</c> when null.</param>
    public static MacroOptions? Parse(string[] arguments, Func<MacroOptions, IReadOnlyList<Scenario>>? scenarios = null)
    {
        MacroOptions options = new();
        if (arguments is ["--full", ..])
        {
            options = options with { IsFull = true, Certificates = 1_000_000, Rounds = 5, Duration = TimeSpan.FromSeconds(2), Limit = TimeSpan.FromMinutes(15) };
            arguments = arguments[1..];
        }

        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length)
            {
                return null;
            }

            string value = arguments[i + 1];
            MacroOptions? next = (arguments[i], Count(value)) switch
            {
                ("--json", _) => options with { JsonFile = value },
                ("--only", _) => options with { Only = value.Split(',') },
                ("--silo", _) => options with { SiloFolder = value },
                ("--minutes", int n) => options with { Limit = TimeSpan.FromMinutes(n) },
                ("--certificates", int n) => options with { Certificates = n },
                ("--rounds", int n) => options with { Rounds = n },
                ("--seconds", _) when Seconds(value) is double n => options with { Duration = TimeSpan.FromSeconds(n) },
                _ => null,
            };
            if (next is null)
            {
                return null;
            }

            options = next;
        }

        return options with { Scenarios = (scenarios ?? ScenariosOf)(options) };
    }

    private static double? Seconds(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double n) && n > 0 ? n : null;

    private static int? Count(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : null;

    private static List<Scenario> ScenariosOf(MacroOptions options)
    {
        int all = options.Certificates;
        List<Scenario> scenarios =
        [
            new("GET", IsPost: false, IsZipf: false, KeepsConnection: true, all),
            new("POST", IsPost: true, IsZipf: false, KeepsConnection: true, all),
            new("GET, one connection each", IsPost: false, IsZipf: false, KeepsConnection: false, all),
        ];
        if (options.IsFull)
        {
            int few = Math.Min(all, H2Load.Targets);
            scenarios.AddRange(
            [
                new("POST, one connection each", IsPost: true, IsZipf: false, KeepsConnection: false, all),
                new("GET, Zipf", IsPost: false, IsZipf: true, KeepsConnection: true, all),
                new("POST, Zipf", IsPost: true, IsZipf: true, KeepsConnection: true, all),
                new("GET, 10,000 of them", IsPost: false, IsZipf: false, KeepsConnection: true, few),
                new("POST, 10,000 of them", IsPost: true, IsZipf: false, KeepsConnection: true, few),
                new("GET, 10,000, h2load", IsPost: false, IsZipf: false, KeepsConnection: true, few) { IsByH2Load = true },
            ]);
        }

        return scenarios;
    }
}
