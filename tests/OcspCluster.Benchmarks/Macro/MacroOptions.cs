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

    private string[] Only { get; init; } = [];

    public IReadOnlyList<Scenario> Scenarios { get; private init; } = [];

    public bool Wants(string peer) => Only.Length == 0 || Only.Contains(peer, StringComparer.Ordinal);

    /// <summary>Null when the arguments are none.</summary>
    public static MacroOptions? Parse(string[] arguments)
    {
        MacroOptions options = new();
        if (arguments is ["--full", ..])
        {
            options = options with { IsFull = true, Certificates = 1_000_000, Rounds = 5, Duration = TimeSpan.FromSeconds(2) };
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
                ("--certificates", int n) => options with { Certificates = n },
                ("--rounds", int n) => options with { Rounds = n },
                ("--seconds", int n) => options with { Duration = TimeSpan.FromSeconds(n) },
                _ => null,
            };
            if (next is null)
            {
                return null;
            }

            options = next;
        }

        return options with { Scenarios = ScenariosOf(options) };
    }

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
            scenarios.Add(new("POST, one connection each", IsPost: true, IsZipf: false, KeepsConnection: false, all));
            scenarios.Add(new("GET, Zipf", IsPost: false, IsZipf: true, KeepsConnection: true, all));
            scenarios.Add(new("POST, Zipf", IsPost: true, IsZipf: true, KeepsConnection: true, all));
            scenarios.Add(new("GET, 10,000 of them", IsPost: false, IsZipf: false, KeepsConnection: true, Math.Min(all, 10_000)));
        }

        return scenarios;
    }
}
