using System.Diagnostics;
using System.Globalization;

namespace OcspCluster.Silo.Tests.History;

/// <summary>
/// A network of its own for silos, each in a namespace: one switch between them and Redis, which can be unplugged from any of them, and a way from here to each, which stays.
/// Whoever is unplugged hears nothing and is told nothing, as with a cable. Needs root and Linux; nothing of it leaves the machine.
/// </summary>
internal sealed class SiloNetwork : IAsyncDisposable
{
    private static readonly Lazy<bool> s_isPossible = new(TryMake);
    private static int s_networks;

    private readonly string _name;
    private readonly string _prefix;
    private readonly int _silos;

    private SiloNetwork(int silos)
    {
        int number = Environment.ProcessId + (Interlocked.Increment(ref s_networks) * 7919);
        _name = string.Create(CultureInfo.InvariantCulture, $"oc{number % 100_000}");
        _prefix = string.Create(CultureInfo.InvariantCulture, $"10.{64 + (number / 250 % 128)}.{number % 250}");
        _silos = silos;
    }

    /// <summary>Whether this machine lets us.</summary>
    public static bool IsPossible => s_isPossible.Value;

    /// <summary>Where Redis must listen to be reached by the silos.</summary>
    public string RedisAddress => _prefix + ".1";

    /// <summary>Where a silo is reached by the others.</summary>
    public string AddressOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{2 + silo}");

    /// <summary>Where a silo is reached by its clients, that is, by us.</summary>
    public string ClientAddressOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{128 + (4 * silo) + 2}");

    /// <summary>The namespace of a silo.</summary>
    public string NamespaceOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"{_name}-{silo}");

    /// <summary>Makes it.</summary>
    public static async Task<SiloNetwork> CreateAsync(int silos)
    {
        SiloNetwork network = new(silos);
        try
        {
            network.Create();
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Pulls a silo's cable: it reaches neither the others nor Redis. Its clients reach it.</summary>
    public void Unplug(int silo) => Ip("-n", _name, "link", "set", PortOf(silo), "nomaster");

    /// <summary>Puts it back.</summary>
    public void Plug(int silo) => Ip("-n", _name, "link", "set", PortOf(silo), "master", "switch");

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        // What is in a namespace, goes with it; and with one end of a way, the other.
        foreach (string name in Enumerable.Range(0, _silos).Select(NamespaceOf).Append(_name))
        {
            TryIp("netns", "del", name);
        }

        TryIp("link", "del", _name + "r");
        for (int silo = 0; silo < _silos; silo++)
        {
            TryIp("link", "del", ClientEndOf(silo));
        }

        return ValueTask.CompletedTask;
    }

    private void Create()
    {
        Ip("netns", "add", _name);
        Ip("-n", _name, "link", "add", "switch", "type", "bridge");
        Ip("-n", _name, "link", "set", "switch", "up");
        Ip("link", "add", _name + "r", "type", "veth", "peer", "name", "redis", "netns", _name);
        Ip("addr", "add", RedisAddress + "/25", "dev", _name + "r");
        Ip("link", "set", _name + "r", "up");
        Ip("-n", _name, "link", "set", "redis", "master", "switch", "up");
        for (int silo = 0; silo < _silos; silo++)
        {
            string space = NamespaceOf(silo);
            Ip("netns", "add", space);
            Ip("-n", space, "link", "set", "lo", "up");
            Ip("-n", _name, "link", "add", PortOf(silo), "type", "veth", "peer", "name", "silo", "netns", space);
            Ip("-n", space, "addr", "add", AddressOf(silo) + "/25", "dev", "silo");
            Ip("-n", space, "link", "set", "silo", "up");
            Ip("-n", _name, "link", "set", PortOf(silo), "master", "switch", "up");
            Ip("link", "add", ClientEndOf(silo), "type", "veth", "peer", "name", "client", "netns", space);
            Ip("addr", "add", string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{128 + (4 * silo) + 1}/30"), "dev", ClientEndOf(silo));
            Ip("link", "set", ClientEndOf(silo), "up");
            Ip("-n", space, "addr", "add", ClientAddressOf(silo) + "/30", "dev", "client");
            Ip("-n", space, "link", "set", "client", "up");
        }
    }

    private static string PortOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"port{silo}");

    private string ClientEndOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"{_name}c{silo}");

    private static bool TryMake()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return false;
        }

        SiloNetwork network = new(1);
        try
        {
            network.Create();
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
        finally
        {
            network.DisposeAsync().AsTask().Wait();
        }
    }

    private static void Ip(params string[] arguments)
    {
        if (TryIp(arguments) is { } error)
        {
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
        }
    }

    // Null: done.
    private static string? TryIp(params string[] arguments)
    {
        using Process ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string error = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        return ip.ExitCode == 0 ? null : error;
    }
}
