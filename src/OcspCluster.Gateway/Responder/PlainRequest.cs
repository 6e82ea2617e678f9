using System.Collections.Frozen;
using System.Runtime.InteropServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>
/// Reads the plain request, which nearly all are, from its octets and builds no object: one certificate, no version, name, extension or signature. What is not one, or is not
/// certainly right, is for <see cref="OcspRequest"/> to judge.
/// </summary>
internal sealed class PlainRequest
{
    private const byte Integer = 0x02;
    private const byte OctetString = 0x04;
    private const byte Sequence = 0x30;

    private readonly FrozenDictionary<ulong, Name[]> _names;

    /// <summary>Knows every way to name the issuers.</summary>
    /// <param name="directory">The issuers.</param>
    /// <param name="cache">Hashes certificates.</param>
    public PlainRequest(IssuerDirectory directory, ResponseCache cache)
    {
        // What comes before the serial number: algorithm (with NULL and without) and both hashes, as one string of octets.
        List<Name> names = [];
        foreach (Issuer issuer in directory.Issuers.Where(IsAnsweredPlainly))
        {
            foreach (CertId certId in from certificate in issuer.Certificates
                                      from hash in directory.Hashes
                                      from hasNull in (bool[])[true, false]
                                      select CertId.Create(certificate, SerialNumber.FromInteger(1), hash, hasNull))
            {
                ReadOnlySpan<byte> content = Content(certId.Encoded.Span, Sequence);
                names.Add(new Name(content[..^3].ToArray(), issuer, cache.SaltOf(issuer.Id))); // 02 01 01
            }
        }

        _names = names.GroupBy(name => KeyOf(name.Octets)).ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>Reads a request.</summary>
    /// <param name="request">The octets.</param>
    /// <param name="certId">The DER of its CertID.</param>
    /// <param name="serial">The content octets of the serial number.</param>
    /// <param name="issuer">Whose certificate it is, and that issuer's part of the cache's hash.</param>
    /// <returns>False when it is not plain, or the issuer is not served by plain answers.</returns>
    public bool TryRead(ReadOnlySpan<byte> request, out ReadOnlySpan<byte> certId, out ReadOnlySpan<byte> serial, out (Issuer Issuer, ulong Salt) issuer)
    {
        // OCSPRequest, TBSRequest, requestList, Request: each is all that the one around it holds.
        certId = Content(Content(Content(Content(request, Sequence), Sequence), Sequence), Sequence);
        ReadOnlySpan<byte> content = Content(certId, Sequence);
        int name = LengthOf(content);
        name += name < content.Length && content[name] == OctetString ? LengthOf(content[name..]) : content.Length;
        name += name < content.Length && content[name] == OctetString ? LengthOf(content[name..]) : content.Length;
        serial = name < content.Length ? Content(content[name..], Integer) : default;
        issuer = default;
        if (!SerialNumber.IsMinimal(serial) || !_names.TryGetValue(KeyOf(content[..name]), out Name[]? candidates))
        {
            return false;
        }

        foreach (Name candidate in candidates)
        {
            if (content[..name].SequenceEqual(candidate.Octets))
            {
                issuer = (candidate.Issuer, candidate.Salt);
                return true;
            }
        }

        return false;
    }

    /// <summary>The content octets of the serial number in the DER of a CertID.</summary>
    public static ReadOnlySpan<byte> SerialOf(ReadOnlySpan<byte> certId)
    {
        ReadOnlySpan<byte> content = Content(certId[..LengthOf(certId)], Sequence);
        content = content[LengthOf(content)..];
        content = content[LengthOf(content)..];
        return Content(content[LengthOf(content)..], Integer);
    }

    /// <summary>The length of the value that octets begin with, its header included; more than there are when it is cut off or not DER.</summary>
    public static int LengthOf(ReadOnlySpan<byte> octets) => octets switch
    {
        [_, < 0x80 and var length, ..] => 2 + length,
        [_, 0x81, >= 0x80 and var length, ..] => 3 + length,
        [_, 0x82, >= 1 and var high, var low, ..] => 4 + ((high << 8) | low),
        _ => int.MaxValue / 4,
    };

    // What a value of this tag holds, if it is all that there is; else nothing.
    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> octets, byte tag)
    {
        if (octets.IsEmpty || octets[0] != tag || LengthOf(octets) != octets.Length)
        {
            return default;
        }

        return octets[(octets[1] < 0x80 ? 2 : 2 + (octets[1] & 0x7F))..];
    }

    // Signed or not is all the same where signatures are not looked at; nothing but a nonce may be missing.
    private static bool IsAnsweredPlainly(Issuer issuer) => issuer.Policy.Nonce != NoncePolicy.Require && issuer.Policy.SignedRequests != SignedRequestPolicy.Require;

    // The end of the key's hash; the rest is compared.
    private static ulong KeyOf(ReadOnlySpan<byte> name) => name.Length < sizeof(ulong) ? 0 : MemoryMarshal.Read<ulong>(name[^sizeof(ulong)..]);

    private sealed record Name(byte[] Octets, Issuer Issuer, ulong Salt);
}
