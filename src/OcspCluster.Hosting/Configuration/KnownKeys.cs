using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Configuration;

/// <summary>Which keys there are. A misspelt key is an error: silently ignored, it would leave a policy at its default.</summary>
internal sealed class KnownKeys
{
    private readonly Dictionary<string, KnownKeys> _children = new(StringComparer.OrdinalIgnoreCase);
    private readonly KnownKeys? _anyName; // of sections whose names the operator chooses
    private readonly Kind _kind;

    private KnownKeys(Kind kind, KnownKeys? anyName = null, params IEnumerable<(string Name, KnownKeys Keys)> children)
    {
        _kind = kind;
        _anyName = anyName;
        foreach ((string name, KnownKeys keys) in children)
        {
            _children.Add(name, keys);
        }
    }

    private enum Kind
    {
        Value,
        List,
        Section,
        Anything,
    }

    /// <summary>One value.</summary>
    public static KnownKeys Value { get; } = new(Kind.Value);

    private static KnownKeys List { get; } = new(Kind.List);

    private static KnownKeys Responder { get; } = Section(
        null,
        ("Certificate", Value),
        ("Key", Value),
        ("Password", Value),
        ("PasswordFile", Value),
        ("Pfx", Value),
        ("Pkcs11", Section(null, typeof(Pkcs11Key).GetProperties().Where(property => property.SetMethod is not null).Select(property => (property.Name, Value)))),
        ("Limits", Section(null, typeof(SignerLimits).GetProperties().Where(property => property.SetMethod is not null).Select(property => (property.Name, Value)))));

    private static KnownKeys Issuer { get; } = Section(
        null,
        [
            ("Certificate", Value), ("Certificates", List), ("Responder", Responder), ("Responders", Section(Responder)), ("Requestors", List),
            ("CrlSource", Section(null, ("Url", Value), ("File", Value), ("Delta", Value), ("Interval", Value), ("Timeout", Value), ("MaxBytes", Value))),
            ("IndexSource", Section(null, ("File", Value), ("Interval", Value))),
            .. typeof(IssuerPolicy).GetProperties().Where(property => property.SetMethod is not null && !property.GetMethod!.IsStatic)
                .Select(property => (property.Name, property.Name == nameof(IssuerPolicy.PresignHashes) ? List : Value)),
        ]);

    private static KnownKeys Client { get; } = Section(null, ("Subject", Value), ("Sha256", Value), ("Scopes", List));

    private static (string, KnownKeys)[] Receiver { get; } =
    [
        ("Url", Value), ("AllowHttp", Value), ("Issuers", List), ("Kinds", List), ("From", Value), ("Timeout", Value), ("BatchSize", Value), ("MaxBackoff", Value), ("WarnAfter", Value),
        ("TrustedRoots", Value), ("Proxy", Value),
    ];

    /// <summary>All of them.</summary>
    public static KnownKeys All { get; } = Section(
        null,
        ("Data", Value),
        ("Ocsp", Section(
            null,
            [
                ("Url", Value), ("PathPrefixes", List), ("MaxConnections", Value), ("HeadersTimeout", Value), ("KeepAliveTimeout", Value), ("MinBodyBytesPerSecond", Value),
                ("Transport", Value), ("Threads", Value),
                .. typeof(OcspGatewayOptions).GetProperties().Where(property => property.Name != nameof(OcspGatewayOptions.PathPrefixes)).Select(property => (property.Name, Value)),
            ])),
        ("Admin", Section(
            null,
            ("Url", Value), ("Certificate", Value), ("Key", Value), ("Password", Value), ("ClientCa", Value), ("ClientScopes", List), ("Clients", Section(Client)), ("FailuresPerMinute", Value),
            ("RequestsPerSecond", Value), ("MaxBatchEvents", Value), ("MaxBatchBytes", Value), ("MaxLineBytes", Value), ("SessionLifetime", Value), ("MetricsNeedKey", Value))),
        ("Clock", Section(null, ("Back", Value), ("Silence", Value))),
        ("Issuers", Section(Issuer)),
        ("Webhooks", Section(Section(null, [.. Receiver, ("SecretFile", Value), ("SecretFiles", List), ("Format", Value)]))),
        ("Purge", Section(Section(
            null,
            [
                .. Receiver, ("PublicUrls", List), ("Style", Value), ("Method", Value), ("Body", Value), ("ChunkSize", Value), ("Headers", Section(Value)),
                ("AuthorizationHeader", Value), ("AuthorizationFile", Value), ("RequestsPerSecond", Value), ("NotCached", List),
            ]))),
        ("Telemetry", Section(null, ("LogFormat", Value), ("TraceRatio", Value), ("Otlp", Section(null, ("Endpoint", Value), ("Protocol", Value), ("HeadersFile", Value), ("Interval", Value))))),
        ("Logging", new(Kind.Anything)));

    /// <summary>Everything among these keys that is not known, or a value where a section belongs and the reverse.</summary>
    public IEnumerable<ConfigurationProblem> FindProblems(IEnumerable<IConfigurationSection> sections)
    {
        foreach (IConfigurationSection section in sections)
        {
            if (!_children.TryGetValue(section.Key, out KnownKeys? known) && (known = _anyName) is null)
            {
                string? meant = Spelling.Nearest(section.Key, _children.Keys);
                yield return new(section.Path, null, meant is null
                    ? $"there is no such key: {string.Join(", ", _children.Keys.Order(StringComparer.Ordinal))} are known here"
                    : $"there is no such key; did you mean '{meant}'?");
                continue;
            }

            foreach (ConfigurationProblem problem in known.FindProblemsWithin(section))
            {
                yield return problem;
            }
        }
    }

    /// <summary>A section of these values.</summary>
    public static KnownKeys SectionOf(params IEnumerable<string> names) => Section(null, names.Select(name => (name, Value)));

    /// <summary>These keys and more, of a host that has more; in sections that are there already, or new ones. <c>Admin:OrleansDashboard</c> goes into <c>Admin</c>.</summary>
    public KnownKeys With(params IEnumerable<(string Path, KnownKeys Keys)> more)
    {
        KnownKeys all = new(_kind, _anyName, _children.Select(child => (child.Key, child.Value)));
        foreach ((string path, KnownKeys keys) in more)
        {
            int colon = path.IndexOf(':', StringComparison.Ordinal);
            all._children[colon < 0 ? path : path[..colon]] = colon < 0 ? keys : all._children[path[..colon]].With((path[(colon + 1)..], keys));
        }

        return all;
    }

    private static KnownKeys Section(KnownKeys? anyName, params IEnumerable<(string Name, KnownKeys Keys)> children) => new(Kind.Section, anyName, children);

    private IEnumerable<ConfigurationProblem> FindProblemsWithin(IConfigurationSection section)
    {
        List<IConfigurationSection> children = [.. section.GetChildren()];
        switch (_kind)
        {
            case Kind.Value when children.Count > 0:
                yield return new(section.Path, null, "takes one value, not a section or a list");
                break;
            case Kind.List when children.Any(child => child.GetChildren().Any() || !int.TryParse(child.Key, out _)):
                yield return new(section.Path, null, "takes a list of values");
                break;
            case Kind.Section when !string.IsNullOrEmpty(section.Value):
                yield return new(section.Path, section.Value, "is a section, not a value: put the keys inside");
                break;
            case Kind.Section:
                foreach (ConfigurationProblem problem in FindProblems(children))
                {
                    yield return problem;
                }

                break;
        }
    }
}
