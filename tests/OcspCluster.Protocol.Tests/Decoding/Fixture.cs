using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace OcspCluster.Protocol.Tests;

/// <summary>One row of Fixtures/manifest.json: a message that an independent implementation made, and what a reader owes it.</summary>
public sealed record Fixture(string File, string Kind, string Outcome, string Rule, string About, JsonElement? Facts, string? InvalidExtension)
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    private static readonly Dictionary<string, Fixture> s_all =
        JsonSerializer.Deserialize<List<Fixture>>(System.IO.File.ReadAllText(PathOf("manifest.json")), s_options)!.ToDictionary(fixture => fixture.File);

    /// <summary>What the readers are told in every test of a fixture: the cap that r12-33-certids exceeds.</summary>
    public static DecodeOptions Options { get; } = new() { MaxCertIds = 32 };

    public static X509Certificate2 Ca { get; } = Certificate("ca-rsa");

    public DecodeError Error => Enum.Parse<DecodeError>(Outcome);

    public bool IsValid => Error == DecodeError.None && InvalidExtension is null;

    public byte[] Bytes => Read(File);

    public static IEnumerable<Fixture> All => s_all.Values;

    public static Fixture Get(string file) => s_all[file];

    /// <summary>The files of a kind as theory data, so that each is a test of its own.</summary>
    public static TheoryData<string> Files(Func<Fixture, bool> choice) => [.. s_all.Values.Where(choice).Select(fixture => fixture.File)];

    public static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "Fixtures", file);

    public static byte[] Read(string file) => System.IO.File.ReadAllBytes(PathOf(file));

    public static X509Certificate2 Certificate(string name) => X509CertificateLoader.LoadCertificate(Read($"pki/{name}.cert.der"));

    public static X509Certificate2 CertificateWithKey(string name) =>
        X509Certificate2.CreateFromPemFile(PathOf($"pki/{name}.cert.pem"), PathOf($"pki/{name}.key.pem"));

    public static DateTimeOffset? Time(JsonElement element) => element.ValueKind == JsonValueKind.Null
        ? null
        : DateTimeOffset.Parse(element.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static string Hex(ReadOnlyMemory<byte> octets) => Convert.ToHexStringLower(octets.Span);
}
