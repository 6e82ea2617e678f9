using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests.Comparison;

/// <summary>A response for all judges.</summary>
/// <param name="Name">Its family, a slash, and its variant.</param>
/// <param name="Hash">The hash of the CertID that is asked about: sha1, sha256, sha384 or sha512.</param>
/// <param name="Response">The octets.</param>
internal sealed record ComparedResponse(string Name, string Hash, byte[] Response)
{
    public string Family => Name[..Name.IndexOf('/', StringComparison.Ordinal)];
}

/// <summary>
/// Several thousand responses about one certificate: good ones in every form, ones that break each rule of RFC 6960 §3.2 and §4.2.2, and ones that were changed octet by
/// octet, with and without a new signature. The same ones in every run, but for keys and signatures, whose length varies by an octet or two.
/// </summary>
internal sealed class ResponseCorpus : IDisposable
{
    private static readonly int[] s_reasons = [1, 2, 3, 4, 5, 6, 9, 10];
    private static readonly (string Name, string Oid)[] s_hashes = [("sha1", OcspOids.Sha1), ("sha256", OcspOids.Sha256), ("sha384", OcspOids.Sha384), ("sha512", OcspOids.Sha512)];

    private readonly TestAuthority _ca = TestAuthority.CreateRoot("Comparison CA");
    private readonly TestAuthority _other = TestAuthority.CreateRoot("Comparison CA"); // the same name, another key
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _delegate;
    private readonly byte[] _serial;

    public ResponseCorpus()
    {
        Leaf = _ca.Issue(new LeafProfile { Name = "compared.example" });
        _serial = Leaf.SerialNumberBytes.ToArray();
        _delegate = Delegate(_ca);
    }

    public X509Certificate2 Issuer => _ca.Certificate;

    public X509Certificate2 Leaf { get; }

    public void Dispose()
    {
        _ca.Dispose();
        _other.Dispose();
        _key.Dispose();
        _delegate.Dispose();
        Leaf.Dispose();
    }

    public IEnumerable<ComparedResponse> All() => [.. Sound(), .. Broken(), .. Errors(), .. Changed()];

    private IEnumerable<ComparedResponse> Sound()
    {
        (string Name, byte[] Status)[] statuses =
        [
            ("good", ResponseRecipe.Good), ("unknown", ResponseRecipe.Unknown), ("revoked", ResponseRecipe.Revoked()),
            .. s_reasons.Select(reason => ($"revoked-{reason}", ResponseRecipe.Revoked(reason))),
        ];
        foreach ((string hash, string oid) in s_hashes)
        {
            foreach ((string name, byte[] status) in statuses)
            {
                foreach (bool isDelegated in new[] { false, true })
                {
                    foreach (bool isByKey in new[] { false, true })
                    {
                        foreach (bool hasNextUpdate in new[] { false, true })
                        {
                            foreach (bool hasExtension in new[] { false, true })
                            {
                                RawExtension[] extensions = hasExtension ? [new RawExtension("1.2.3.4.5", Der.Null)] : [];
                                X509Certificate2 signer = isDelegated ? _delegate : Issuer;
                                ResponseRecipe recipe = (isDelegated ? Delegated(oid) : Direct(oid)) with
                                {
                                    CertStatus = status,
                                    ResponderId = isByKey ? ResponseRecipe.ByKey(signer) : ResponseRecipe.ByName(signer),
                                    NextUpdate = hasNextUpdate ? TestAuthority.Now.AddDays(2) : null,
                                    Extensions = extensions,
                                    SingleExtensions = extensions,
                                };
                                yield return new(
                                    $"sound/{name} {(isDelegated ? "delegate" : "CA")} {(isByKey ? "byKey" : "byName")}{(hasNextUpdate ? "" : " no nextUpdate")}{(hasExtension ? " extensions" : "")}", hash, recipe.Encode());
                            }
                        }
                    }
                }
            }
        }
    }

    // Each broken rule, in answers that would say good, revoked and unknown, by the CA's key and by a delegate's.
    private IEnumerable<ComparedResponse> Broken()
    {
        foreach ((string name, byte[] status) in new[] { ("good", ResponseRecipe.Good), ("revoked", ResponseRecipe.Revoked(1)), ("unknown", ResponseRecipe.Unknown) })
        {
            foreach ((string hash, string oid) in s_hashes[..2])
            {
                foreach (bool isDelegated in new[] { false, true })
                {
                    ResponseRecipe recipe = (isDelegated ? Delegated(oid) : Direct(oid)) with { CertStatus = status };
                    foreach ((string family, string variant, ResponseRecipe broken) in BreakAnyhow(recipe, oid).Concat(isDelegated ? BreakDelegate(recipe) : []))
                    {
                        yield return new($"{family}/{variant} {name} {(isDelegated ? "delegate" : "CA")}", hash, broken.Encode());
                    }
                }
            }
        }
    }

    private IEnumerable<(string Family, string Variant, ResponseRecipe Recipe)> BreakAnyhow(ResponseRecipe sound, string hash)
    {
        DateTimeOffset now = TestAuthority.Now;
        RawCertId asked = RawCertId.For(Issuer, _serial, hash);
        foreach (int octet in new[] { 0, 10, 40 })
        {
            yield return ("signature", $"octet {octet}", sound with { ChangeSignature = signature => Flip(signature, octet) });
        }

        yield return ("signature", "empty", sound with { ChangeSignature = _ => [] });
        yield return ("signature", "of another key", sound with { Key = _other.Key });
        yield return ("signature", "tbs changed", sound with { ChangeSignature = _ => sound.Key.SignData("other data"u8, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) });
        yield return ("algorithm", "says SHA-384, is SHA-256", sound with { Algorithm = Der.Sequence(Der.Oid("1.2.840.10045.4.3.3")) });
        yield return ("algorithm", "says RSA", sound with { Algorithm = Der.Sequence(Der.Oid(OcspOids.Sha256WithRsa), Der.Null) });
        yield return ("algorithm", "unknown", sound with { Algorithm = Der.Sequence(Der.Oid("1.2.3.4")) });
        yield return ("algorithm-null", "ECDSA with NULL parameters", sound with { Algorithm = Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256), Der.Null) });
        yield return ("sha1-signature", "ECDSA with SHA-1", sound with { Hash = HashAlgorithmName.SHA1, Algorithm = Der.Sequence(Der.Oid("1.2.840.10045.4.1")) });
        yield return ("sha512-signature", "ECDSA with SHA-512", sound with { Hash = HashAlgorithmName.SHA512 });

        yield return ("certid-serial", "another serial", sound with { CertId = (asked with { Serial = TestPki.RandomSerial() }).Encode() });
        yield return ("certid-name", "another name hash", sound with { CertId = (asked with { NameHash = Flip(asked.NameHash, 3) }).Encode() });
        yield return ("certid-key", "another key hash", sound with { CertId = (asked with { KeyHash = Flip(asked.KeyHash, 3) }).Encode() });
        yield return ("certid-length", "name hash too short", sound with { CertId = (asked with { NameHash = asked.NameHash[1..] }).Encode() });
        yield return ("certid-algorithm", "unknown algorithm", sound with { CertId = (asked with { HashOid = "1.2.3.4" }).Encode() });
        yield return ("certid-parameters", "absent parameters", sound with { CertId = (asked with { Parameters = null }).Encode() });

        yield return ("this-update", "in a day", sound with { ThisUpdate = now.AddDays(1) });
        yield return ("this-update", "in an hour", sound with { ThisUpdate = now.AddHours(1) });
        yield return ("next-update", "an hour ago", sound with { NextUpdate = now.AddHours(-1) });
        yield return ("next-update", "a year ago", sound with { ThisUpdate = now.AddYears(-2), NextUpdate = now.AddYears(-1) });
        yield return ("next-before-this", "both near", sound with { ThisUpdate = now.AddHours(-1), NextUpdate = now.AddHours(-1.5) });
        yield return ("no-next-update-old", "thisUpdate a year ago", sound with { ThisUpdate = now.AddYears(-1), NextUpdate = null });
        yield return ("produced-at", "in a day", sound with { ProducedAt = now.AddDays(1) });

        yield return ("critical", "response extension", sound with { Extensions = [new RawExtension("1.2.3.4.5", Der.Null, Critical: true)] });
        yield return ("critical-single", "single extension", sound with { SingleExtensions = [new RawExtension("1.2.3.4.5", Der.Null, Critical: true)] });
        yield return ("duplicate-extension", "response", sound with { Extensions = [new RawExtension("1.2.3.4.5", Der.Null), new RawExtension("1.2.3.4.5", Der.Null)] });
        yield return ("nonce", "not asked for", sound with { Extensions = [RawExtension.Nonce(new byte[16])] });
        yield return ("nonce-bad", "no OCTET STRING", sound with { Extensions = [new RawExtension(OcspOids.Nonce, [1, 2, 3, 4])] });
        yield return ("nonce-bad", "empty", sound with { Extensions = [RawExtension.Nonce([])] });

        byte[] elsewhere = (asked with { Serial = TestPki.RandomSerial() }).Encode();
        byte[] other = ResponseRecipe.SingleOf(elsewhere, ResponseRecipe.Revoked(1), sound.ThisUpdate, sound.NextUpdate, []);
        yield return ("several", "another certificate's before", sound with { Before = [other] });
        yield return ("several", "another certificate's after", sound with { After = [other] });
        byte[] revoked = ResponseRecipe.SingleOf(asked.Encode(), ResponseRecipe.Revoked(1), sound.ThisUpdate, sound.NextUpdate, []);
        yield return ("twice", "revoked after", sound with { After = [revoked] });
        yield return ("twice", "revoked before", sound with { Before = [revoked] });
        byte[] stale = ResponseRecipe.SingleOf(asked.Encode(), ResponseRecipe.Good, now.AddYears(-2), now.AddYears(-1), []);
        yield return ("twice-stale", "a stale good before", sound with { Before = [stale] });

        yield return ("version", "v1 written out", sound with { Version = Der.Explicit(0, Der.Number(0)) });
        yield return ("version-2", "v2", sound with { Version = Der.Explicit(0, Der.Number(1)) });
        yield return ("type", "not basic", sound with { ResponseType = Der.Oid("1.2.3.4") });
        foreach (byte error in new byte[] { 1, 2, 3, 4, 5, 6, 7 })
        {
            yield return ("error-with-bytes", $"status {error}", sound with { Status = error });
        }

        yield return ("responder-id", "nobody's key", sound with { ResponderId = Der.Explicit(2, Der.OctetString(new byte[20])) });
        yield return ("responder-id", "nobody's name", sound with { ResponderId = Der.Explicit(1, new X500DistinguishedName("CN=Nobody").RawData) });
        yield return ("responder-id-length", "a key hash of 32 octets", sound with { ResponderId = Der.Explicit(2, Der.OctetString(new byte[32])) });
        yield return ("reason", "7", sound with { CertStatus = sound.CertStatus[0] == 0xA1 ? ResponseRecipe.Revoked(7) : sound.CertStatus, SingleExtensions = [] });
        yield return ("reason", "99", sound with { CertStatus = sound.CertStatus[0] == 0xA1 ? ResponseRecipe.Revoked(99) : sound.CertStatus });
        yield return ("reason-remove", "removeFromCRL", sound with { CertStatus = sound.CertStatus[0] == 0xA1 ? ResponseRecipe.Revoked(8) : sound.CertStatus });
        yield return ("revoked-in-future", "revocationTime tomorrow", sound with { CertStatus = sound.CertStatus[0] == 0xA1 ? ResponseRecipe.Revoked(1, now.AddDays(1)) : sound.CertStatus });
    }

    private IEnumerable<(string Family, string Variant, ResponseRecipe Recipe)> BreakDelegate(ResponseRecipe sound)
    {
        DateTimeOffset now = TestAuthority.Now;
        ResponseRecipe With(X509Certificate2 certificate) => sound with { ResponderId = ResponseRecipe.ByKey(certificate), Certificates = [certificate.RawData] };
        yield return ("delegate-missing", "no certificate", sound with { Certificates = [] });
        yield return ("delegate-purpose", "no extended key usage", With(Delegate(_ca, new LeafProfile { ExtendedKeyUsage = "" })));
        yield return ("delegate-purpose", "serverAuth", With(Delegate(_ca, new LeafProfile { ExtendedKeyUsage = "1.3.6.1.5.5.7.3.1" })));
        yield return ("delegate-any-purpose", "anyExtendedKeyUsage", With(Delegate(_ca, new LeafProfile { ExtendedKeyUsage = "2.5.29.37.0" })));
        yield return ("delegate-issuer", "of a CA of the same name", With(Delegate(_other)));
        using TestAuthority sub = _ca.IssueCa("Comparison sub CA");
        X509Certificate2 grandchild = Delegate(sub);
        yield return ("delegate-issuer", "of a subordinate CA", With(grandchild) with { Certificates = [grandchild.RawData, sub.Certificate.RawData] });
        yield return ("delegate-expired", "ended a day ago", With(Delegate(_ca, new LeafProfile { NotAfter = now.AddDays(-1) })));
        yield return ("delegate-not-yet", "begins tomorrow", With(Delegate(_ca, new LeafProfile { NotBefore = now.AddDays(1) })));
        yield return ("delegate-not-at-produced-at", "began after producedAt", With(Delegate(_ca, new LeafProfile { NotBefore = now.AddMinutes(-10) })));
        yield return ("delegate-without-nocheck", "no nocheck", With(Delegate(_ca, hasNoCheck: false)));
        yield return ("delegate-critical", "unknown critical extension", With(Delegate(_ca, new LeafProfile { Extensions = [new X509Extension("1.2.3.4.5", Der.Null, critical: true)] })));
        yield return ("delegate-second", "the second certificate", sound with { Certificates = [_other.Certificate.RawData, .. sound.Certificates] });
        yield return ("delegate-junk", "junk beside it", sound with { Certificates = [.. sound.Certificates, Der.Sequence(Der.Null)] });
        yield return ("delegate-self", "the leaf's own key", With(Leaf));
    }

    private static IEnumerable<ComparedResponse> Errors()
    {
        for (byte status = 0; status < 10; status++)
        {
            yield return new($"error/{status}", "sha1", Der.Sequence(Der.Tlv(0x0A, [status])));
        }

        yield return new("error/empty", "sha1", []);
        yield return new("error/html", "sha1", "<html>"u8.ToArray());
    }

    private IEnumerable<ComparedResponse> Changed()
    {
        byte[] sound = Delegated(OcspOids.Sha1).Encode();
        for (int offset = 0; offset < sound.Length; offset++)
        {
            yield return new($"flipped/{offset}", "sha1", Flip(sound, offset));
            if (offset % 2 == 0)
            {
                yield return new($"truncated/{offset}", "sha1", sound[..offset]);
            }
        }

        yield return new("appended/one octet", "sha1", [.. sound, 0]);
        Random random = new(20260614); // the same changes in every run
        for (int i = 0; i < 1500; i++)
        {
            int position = random.Next(1 << 20);
            byte value = (byte)random.Next(256);
            byte[] status = (i % 3) switch { 0 => ResponseRecipe.Good, 1 => ResponseRecipe.Revoked(4), _ => ResponseRecipe.Unknown };
            ResponseRecipe recipe = Direct(OcspOids.Sha1) with
            {
                CertStatus = status,
                Extensions = [RawExtension.Nonce(new byte[20])],
                ChangeBeforeSigning = tbs =>
                {
                    tbs[position % tbs.Length] = value;
                    return tbs;
                },
            };
            yield return new($"resigned/{i}", "sha1", recipe.Encode());
        }
    }

    private ResponseRecipe Direct(string hash) => new()
    {
        CertId = RawCertId.For(Issuer, _serial, hash).Encode(),
        ResponderId = ResponseRecipe.ByKey(Issuer),
        Key = _ca.Key,
    };

    private ResponseRecipe Delegated(string hash) => new()
    {
        CertId = RawCertId.For(Issuer, _serial, hash).Encode(),
        ResponderId = ResponseRecipe.ByKey(_delegate),
        Key = _key,
        Certificates = [_delegate.RawData],
    };

    // One key for all: what differs is what the certificate says.
    private X509Certificate2 Delegate(TestAuthority ca, LeafProfile? profile = null, bool hasNoCheck = true)
    {
        profile ??= new LeafProfile();
        X509Extension[] noCheck = hasNoCheck ? [new X509Extension(OcspOids.NoCheck, Der.Null, critical: false)] : [];
        return ca.Issue(_key, profile with { Name = "Comparison responder", ExtendedKeyUsage = profile.ExtendedKeyUsage switch { null => OcspOids.OcspSigning, "" => null, var oid => oid }, Extensions = [.. profile.Extensions, .. noCheck] });
    }

    private static byte[] Flip(byte[] octets, int offset)
    {
        byte[] flipped = [.. octets];
        flipped[offset] ^= 0x01;
        return flipped;
    }
}
