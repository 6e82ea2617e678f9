using System.Net;
using System.Net.Sockets;

namespace OcspCluster.Client;

/// <summary>
/// Tells addresses of the public internet from all others (the special-purpose registries of RFC 6890). A certificate is made by a stranger, and the
/// addresses in it could lead the client to its own network's insides.
/// </summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] s_special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", // unspecified, loopback and the IPv4-compatible
            "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    public static bool Is(IPAddress address)
    {
        IPAddress inner = Unwrap(address);
        return !Array.Exists(s_special, network => network.BaseAddress.AddressFamily == inner.AddressFamily && network.Contains(inner));
    }

    // An IPv6 address may only carry an IPv4 address to where that one leads: mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052), 6to4 (RFC 3056).
    private static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        ReadOnlySpan<byte> octets = address.GetAddressBytes();
        return octets switch
        {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ..] => new IPAddress(octets[12..]),
            [0x20, 0x02, ..] => new IPAddress(octets[2..6]),
            _ => address,
        };
    }
}

/// <summary>Thrown where a connection would lead to an address that is not public.</summary>
internal sealed class AddressRefusedException(string message) : IOException(message);
