using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What the contracts of webhooks and purges begin with: a receiver, and a host that calls it.</summary>
public abstract class DeliveryContract(SharedHosts shared) : AuthorityContract(shared)
{
    /// <summary>In the form that webhooks want, and whole in nothing that a host shows.</summary>
    protected static string NewSecret() => "whsec_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>A file that only its owner reads.</summary>
    protected static string WriteSecret(ScratchDirectory directory, string name, string secret)
    {
        ArgumentNullException.ThrowIfNull(directory);
        string file = directory.File(name);
        File.WriteAllText(file, secret + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }

    /// <summary>What the host says of one receiver in Alpha's journal.</summary>
    internal static async Task<JsonElement> StateAsync(IAuthorityHost host, string name)
    {
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/v1/webhooks", ReadKey(host));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json.GetProperty("webhooks").EnumerateArray().Single(one => one.GetProperty("name").GetString() == name && one.GetProperty("issuer").GetString() == "alpha");
    }

    /// <summary>Asks until the host says so.</summary>
    internal static async Task<JsonElement> UntilAsync(IAuthorityHost host, string name, Func<JsonElement, bool> condition)
    {
        for (int i = 0; i < 1000; i++)
        {
            JsonElement state = await StateAsync(host, name);
            if (condition(state))
            {
                return state;
            }
        }

        throw new InvalidOperationException($"It never was so: {await StateAsync(host, name)}");
    }

    /// <summary>The warnings of a host that is ready.</summary>
    internal static async Task<string[]> WarningsAsync(IAuthorityHost host)
    {
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/health/ready", null);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return [.. answer.Json.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)];
    }

    /// <summary>The events of a webhook's message whose signature is right by these secrets, computed here from the specification (Standard Webhooks, "Signature scheme").</summary>
    internal static JsonElement[] Verified(ReceivedRequest request, TestClock? clock, params string[] secrets)
    {
        string id = request.Headers["webhook-id"];
        string timestamp = request.Headers["webhook-timestamp"];
        if (clock is not null)
        {
            Assert.InRange(clock.GetUtcNow().ToUnixTimeSeconds() - long.Parse(timestamp, CultureInfo.InvariantCulture), 0, 3600);
        }

        byte[] signed = Encoding.UTF8.GetBytes($"{id}.{timestamp}.{Encoding.UTF8.GetString(request.Body)}");
        string[] expected = [.. secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed)))];
        Assert.Equal(expected, request.Headers["webhook-signature"].Split(' '));
        Assert.Equal("POST", request.Method);
        JsonElement body = JsonDocument.Parse(request.Body).RootElement;
        Assert.Equal("certificates.changed", body.GetProperty("type").GetString());
        return [.. body.GetProperty("data").GetProperty("events").EnumerateArray()];
    }

    internal static long PositionOf(JsonElement @event) => @event.GetProperty("position").GetInt64();

    /// <summary>Revokes a certificate of Alpha that nobody knew.</summary>
    internal static async Task<string> RevokeAsync(IAuthorityHost host)
    {
        string serial = NewSerial();
        Assert.Equal(["applied"], (await PostAsync(host, Json("revoke-" + serial, serial, "revoked", "\"reason\":1"))).Outcomes);
        return serial;
    }
}
