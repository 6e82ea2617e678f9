using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Configuration;

/// <summary>Reads the sections <c>Webhooks</c> and <c>Purge</c>, and the files that they name.</summary>
internal sealed class DeliveryReader
{
    private const string NameRule = "is no name: 1 to 64 of a-z, 0-9, '-', '_', '.', the first a letter or digit";

    private readonly SettingsReader _reader;
    private readonly string _path;
    private readonly IReadOnlyList<string> _issuers;

    private DeliveryReader(SettingsReader reader, string path, IReadOnlyList<string> issuers)
    {
        _reader = reader;
        _path = path;
        _issuers = issuers;
    }

    /// <summary>The receivers. What is wrong is reported.</summary>
    /// <param name="reader">Reads.</param>
    /// <param name="issuers">The ids of the issuers that there are.</param>
    public static DeliveryOptions Read(SettingsReader reader, IReadOnlyList<string> issuers)
    {
        string[] webhooks = [.. reader.Settings.Section("Webhooks").GetChildren().Select(section => section.Key)];
        string[] purges = [.. reader.Settings.Section("Purge").GetChildren().Select(section => section.Key)];
        foreach (string name in webhooks.Where(name => !IssuerId.IsValid(name)))
        {
            reader.Report($"Webhooks:{name}", null, NameRule);
        }

        foreach (string name in purges)
        {
            if (!IssuerId.IsValid(name))
            {
                reader.Report($"Purge:{name}", null, NameRule);
            }
            else if (webhooks.Contains(name, StringComparer.Ordinal))
            {
                reader.Report($"Purge:{name}", null, "is the name of a webhook, too: how far each is, is kept under its name");
            }
        }

        return new DeliveryOptions
        {
            Webhooks = [.. webhooks.Select(name => new DeliveryReader(reader, $"Webhooks:{name}", issuers).ReadWebhook(name))],
            Purges = [.. purges.Select(name => new DeliveryReader(reader, $"Purge:{name}", issuers).ReadPurge(name))],
        };
    }

    private WebhookOptions ReadWebhook(string name) => new()
    {
        Name = name,
        Url = ReadUrl("Url", isRequired: true),
        Issuers = ReadIssuers(),
        Kinds = ReadKinds(),
        From = ReadFrom(),
        Timeout = ReadTimeout(),
        BatchSize = ReadBatchSize(100),
        MaxBackoff = ReadMaxBackoff(),
        WarnAfter = ReadWarnAfter(),
        TrustedRoots = ReadTrustedRoots(),
        Proxy = ReadProxy(),
        SecretFiles = ReadSecretFiles(),
        Format = _reader.Choice($"{_path}:Format", WebhookFormat.Json),
    };

    private PurgeOptions ReadPurge(string name)
    {
        PurgeStyle style = _reader.Choice($"{_path}:Style", PurgeStyle.Url);
        return new PurgeOptions
        {
            Name = name,
            Url = ReadUrl("Url", isRequired: style == PurgeStyle.Json),
            Issuers = ReadIssuers(),
            Kinds = ReadKinds(),
            From = ReadFrom(),
            Timeout = ReadTimeout(),
            BatchSize = ReadBatchSize(10),
            MaxBackoff = ReadMaxBackoff(),
            WarnAfter = ReadWarnAfter(),
            TrustedRoots = ReadTrustedRoots(),
            Proxy = ReadProxy(),
            PublicUrls = ReadPublicUrls(isCalled: style == PurgeStyle.Url && Text("Url") is null),
            Style = style,
            Method = ReadToken("Method"),
            Body = ReadBody(),
            ChunkSize = _reader.Integer($"{_path}:ChunkSize", 30, 1, 1000),
            Headers = ReadHeaders(),
            AuthorizationHeader = ReadToken("AuthorizationHeader") ?? "Authorization",
            AuthorizationFile = ReadAuthorizationFile(),
            RequestsPerSecond = _reader.Integer($"{_path}:RequestsPerSecond", 20, 1, 10_000),
            NotCached = ReadNotCached(),
        };
    }

    private string? Text(string key) => _reader.Text($"{_path}:{key}");

    private DeliveryStart ReadFrom() => _reader.Choice($"{_path}:From", DeliveryStart.Now);

    private TimeSpan ReadTimeout() => _reader.Duration($"{_path}:Timeout", TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));

    private int ReadBatchSize(int @default) => _reader.Integer($"{_path}:BatchSize", @default, 1, 1000);

    private TimeSpan ReadMaxBackoff() => _reader.Duration($"{_path}:MaxBackoff", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));

    private TimeSpan ReadWarnAfter() => _reader.Duration($"{_path}:WarnAfter", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));

    private Uri? ReadUrl(string key, bool isRequired)
    {
        if (Text(key) is not string text)
        {
            if (isRequired)
            {
                _reader.Report($"{_path}:{key}", null, "is missing: the URL to call");
            }

            return null;
        }

        return Check($"{_path}:{key}", text, isCalled: true);
    }

    // A URL may have a secret in its path or query: it is named by its key alone.
    private Uri? Check(string key, string text, bool isCalled)
    {
        string? problem =
            !Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp) ? "is not an http or https URL"
            : url.UserInfo.Length > 0 ? "has a name or a password in it, which logs would show: give them as a header"
            : url.Fragment.Length > 0 ? "has a fragment, which is never sent"
            : isCalled && url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback && !_reader.Boolean($"{_path}:AllowHttp", false)
                ? "is http, which everybody on the way can read and change: use https, or set AllowHttp to true"
            : null;
        if (problem is not null)
        {
            _reader.Report(key, null, problem);
            return null;
        }

        return url;
    }

    private List<Uri> ReadPublicUrls(bool isCalled)
    {
        IReadOnlyList<string> texts = _reader.List($"{_path}:PublicUrls");
        if (texts.Count == 0)
        {
            _reader.Report($"{_path}:PublicUrls", null, "is missing: the URLs that relying parties use, as they stand in the certificates");
        }

        List<Uri> urls = [.. texts.Select(text => Check($"{_path}:PublicUrls", text, isCalled)).OfType<Uri>()];
        if (urls.FirstOrDefault(url => url.Query.Length > 0) is { } withQuery)
        {
            _reader.Report($"{_path}:PublicUrls", withQuery.OriginalString, "has a query: requests are put behind the path");
        }

        return urls;
    }

    private Uri? ReadProxy()
    {
        if (Text("Proxy") is not string text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? proxy) && proxy.Scheme == Uri.UriSchemeHttp && proxy.UserInfo.Length == 0)
        {
            return proxy;
        }

        _reader.Report($"{_path}:Proxy", null, "is not an http URL such as http://proxy.example.com:3128, without a password");
        return null;
    }

    private List<IssuerId> ReadIssuers()
    {
        List<IssuerId> issuers = [];
        foreach (string text in _reader.List($"{_path}:Issuers"))
        {
            if (_issuers.Contains(text, StringComparer.Ordinal) && IssuerId.IsValid(text))
            {
                issuers.Add(new IssuerId(text));
            }
            else
            {
                _reader.Report($"{_path}:Issuers", text, $"there is no such issuer in the section Issuers, only {string.Join(", ", _issuers)}");
            }
        }

        return issuers;
    }

    private List<EventKind> ReadKinds()
    {
        List<EventKind> kinds = [];
        foreach (string text in _reader.List($"{_path}:Kinds"))
        {
            if (Enum.GetNames<EventKind>().Contains(text, StringComparer.OrdinalIgnoreCase))
            {
                kinds.Add(Enum.Parse<EventKind>(text, ignoreCase: true));
            }
            else
            {
                _reader.Report($"{_path}:Kinds", text, "is not one of issued, revoked, held, released");
            }
        }

        return kinds;
    }

    private X509Certificate2Collection ReadTrustedRoots()
    {
        X509Certificate2Collection roots = [];
        if (Text("TrustedRoots") is string file)
        {
            try
            {
                roots.AddRange(CredentialFiles.ReadCertificates(_reader.Settings.ResolvePath($"{_path}:TrustedRoots", file)).ToArray());
            }
            catch (CredentialFileException e)
            {
                _reader.Report($"{_path}:TrustedRoots", file, e.Message);
            }
        }

        return roots;
    }

    private List<string> ReadSecretFiles()
    {
        List<string> files = [];
        foreach ((string key, string file) in _reader.List($"{_path}:SecretFiles").Select(file => ("SecretFiles", file)).Concat(Text("SecretFile") is string one ? [("SecretFile", one)] : []))
        {
            files.Add(ReadSecret(key, file, path => WebhookSecret.Read(path)));
        }

        if (files.Count == 0)
        {
            _reader.Report($"{_path}:SecretFile", null, "is missing: the file with the secret that messages are signed with");
        }

        return files;
    }

    private string? ReadAuthorizationFile() => Text("AuthorizationFile") is string file ? ReadSecret("AuthorizationFile", file, path => WebhookSecret.ReadLine(path)) : null;

    private string ReadSecret(string key, string file, Action<string> read)
    {
        // The sources of a list's entries are not told apart: the first one's directory is all of theirs.
        string path = _reader.Settings.ResolvePath(_reader.Settings.Section($"{_path}:{key}").GetChildren().FirstOrDefault()?.Path ?? $"{_path}:{key}", file);
        try
        {
            read(path);
            if (CredentialFiles.IsOpenToOthers(path))
            {
                _reader.Warn($"{_path}:{key}", file, "everybody on this machine may read the file: chmod 600");
            }
        }
        catch (InvalidDataException e)
        {
            _reader.Report($"{_path}:{key}", file, e.Message);
        }

        return path;
    }

    // A method or the name of a header (token, RFC 9110 §5.6.2).
    private string? ReadToken(string key)
    {
        if (Text(key) is string text && !IsToken(text))
        {
            _reader.Report($"{_path}:{key}", text, "is not a word of letters, digits and hyphens");
        }

        return Text(key);
    }

    private static bool IsToken(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private string ReadBody()
    {
        const string Default = """{"files":$urls}""";
        string body = Text("Body") ?? Default;
        if (!body.Contains("$urls", StringComparison.Ordinal) && !body.Contains("$paths", StringComparison.Ordinal))
        {
            _reader.Report($"{_path}:Body", body, "has neither $urls nor $paths: one of them stands for the list");
            return Default;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(body.Replace("$urls", "[]", StringComparison.Ordinal).Replace("$paths", "[]", StringComparison.Ordinal));
        }
        catch (JsonException)
        {
            _reader.Report($"{_path}:Body", body, "is not JSON once a list stands for $urls or $paths, which go without quotes");
        }

        return body;
    }

    private Dictionary<string, string> ReadHeaders()
    {
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection section in _reader.Settings.Section($"{_path}:Headers").GetChildren())
        {
            string value = section.Value ?? "";
            if (!IsToken(section.Key) || value.Any(c => c is < ' ' or > '~') || section.Key.Equals("Host", StringComparison.OrdinalIgnoreCase) || section.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                _reader.Report(section.Path, null, "cannot be a header: a name of letters, digits and hyphens other than Host and Content-Length, and a value of printable ASCII");
            }

            headers[section.Key] = value;
        }

        return headers;
    }

    private List<int> ReadNotCached()
    {
        List<int> statuses = [];
        foreach (string text in _reader.List($"{_path}:NotCached"))
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 400 and <= 499 and not 401 and not 403 and not 410 and not 429)
            {
                statuses.Add(status);
            }
            else
            {
                _reader.Report($"{_path}:NotCached", text, "is not a status of 400 to 499 other than 401, 403, 410 and 429, such as 404 and 412");
            }
        }

        return statuses;
    }
}
