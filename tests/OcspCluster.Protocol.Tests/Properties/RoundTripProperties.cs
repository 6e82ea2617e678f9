using System.Globalization;
using System.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace OcspCluster.Protocol.Tests;

/// <summary>Whatever is built is read back equal, for random contents.</summary>
public class RoundTripProperties
{
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(1_000).WithEndSize(20); // lists of up to 20 elements

    private static readonly Gen<byte> s_octet = Gen.Choose(0, 255).Select(value => (byte)value);

    private static readonly Gen<SerialNumber> s_serial = Octets(1, 24).Select(octets => SerialNumber.FromInteger(new BigInteger(octets, isBigEndian: true)));

    private static readonly Gen<CertId> s_certId =
        from hash in Gen.Elements<CertIdHash>(CertIdHash.All)
        from nameHash in Octets(hash.SizeInBytes, hash.SizeInBytes)
        from keyHash in Octets(hash.SizeInBytes, hash.SizeInBytes)
        from serial in s_serial
        from nullParameters in Gen.Elements(true, false)
        select CertId.Create(hash, nameHash, keyHash, serial, nullParameters);

    // Whole seconds from 1950 to 2100, with offsets and fractions that a writer has to take away.
    private static readonly Gen<DateTimeOffset> s_time =
        from minute in Gen.Choose(0, 150 * 365 * 24 * 60)
        from second in Gen.Choose(0, 59)
        from fraction in Gen.Choose(0, 999)
        from offset in Gen.Choose(-14 * 4, 14 * 4)
        select new DateTimeOffset(1950, 1, 1, 0, 0, second, fraction, TimeSpan.Zero).AddMinutes(minute).ToOffset(TimeSpan.FromMinutes(15 * offset));

    private static readonly Gen<OcspExtensionCollection> s_extensions =
        from arcs in Gen.Choose(1, 1_000_000).ListOf()
        from critical in Gen.Elements(true, false)
        from value in Octets(0, 300)
        select new OcspExtensionCollection(arcs.Distinct().Take(20).Select(arc =>
            new OcspExtension("1.3.6.1.4.1.99999." + arc.ToString(CultureInfo.InvariantCulture), value, critical)));

    private static readonly Gen<CertStatus> s_status = Gen.OneOf(
        Gen.Constant(CertStatus.Good),
        Gen.Constant(CertStatus.Unknown),
        from time in s_time
        from reason in Gen.Elements<RevocationReason?>([null, .. Enum.GetValues<RevocationReason>().Where(r => r != RevocationReason.RemoveFromCrl)])
        select CertStatus.Revoked(time, reason));

    private static readonly Gen<SingleResponse> s_single =
        from certId in s_certId
        from status in s_status
        from thisUpdate in s_time
        from validity in Gen.Choose(-1, 1_000_000)
        from extensions in s_extensions
        select new SingleResponse(certId, status, thisUpdate, validity < 0 ? null : thisUpdate.AddSeconds(validity), extensions);

    [Fact]
    public void SerialNumber_AnyInteger_IsReadBackFromTextAndContent() => Check.One(s_config, Prop.ForAll(s_serial.ToArbitrary(), serial =>
        SerialNumber.ParseHex(serial.ToString()) == serial && SerialNumber.FromContent(serial.Content) == serial && SerialNumber.IsMinimal(serial.Content)));

    [Fact]
    public void SerialNumber_AnyOctets_AreMinimalExactlyWhenAnIntegerHasThem() => Check.One(s_config, Prop.ForAll(Octets(1, 3).ToArbitrary(), octets =>
        SerialNumber.IsMinimal(octets) == new BigInteger(octets, isBigEndian: true).ToByteArray(isBigEndian: true).AsSpan().SequenceEqual(octets)));

    [Fact]
    public void CertId_Any_IsReadBack() => Check.One(s_config, Prop.ForAll(s_certId.ToArbitrary(), certId =>
    {
        CertId again = CertId.Decode(certId.Encoded);
        Assert.Equal(certId, again);
        Assert.Equal(certId.GetHashCode(), again.GetHashCode());
        Assert.Equal(certId.HashAlgorithm, again.HashAlgorithm);
        Assert.Equal(certId.IssuerNameHash.ToArray(), again.IssuerNameHash.ToArray());
        Assert.Equal(certId.IssuerKeyHash.ToArray(), again.IssuerKeyHash.ToArray());
    }));

    [Fact]
    public void Request_Any_IsReadBack()
    {
        Gen<(CertId[] CertIds, OcspExtensionCollection Single, OcspExtensionCollection Extensions, byte[] Nonce, bool WriteVersion)> contents =
            from certIds in s_certId.NonEmptyListOf()
            from single in s_extensions
            from extensions in s_extensions
            from nonce in Octets(0, 128)
            from writeVersion in Gen.Elements(true, false)
            select (certIds.ToArray(), single, extensions, nonce, writeVersion);

        Check.One(s_config, Prop.ForAll(contents.ToArbitrary(), content =>
        {
            OcspRequestBuilder builder = new() { WriteVersion = content.WriteVersion };
            foreach (CertId certId in content.CertIds)
            {
                builder.Add(certId, content.Single);
            }

            foreach (OcspExtension extension in content.Extensions)
            {
                builder.AddExtension(extension);
            }

            if (content.Nonce.Length > 0)
            {
                builder.AddNonce(OcspNonce.Create(content.Nonce));
            }

            OcspRequest built = builder.Build();
            OcspRequest read = OcspRequest.Decode(built.Encoded);

            Assert.Equal(content.CertIds, read.Requests.Select(request => request.CertId));
            Assert.All(read.Requests, request => AssertEqual(content.Single, request.Extensions));
            AssertEqual(content.Extensions, read.Extensions.Where(extension => extension.Oid != OcspNonce.ExtensionOid));
            Assert.Equal(content.Nonce, read.Nonce?.Value.ToArray() ?? []);
            Assert.Equal(content.WriteVersion, read.HasExplicitVersion);
            Assert.Equal(built.Encoded.ToArray(), new OcspRequestBuilder(read).Build().Encoded.ToArray());
        }));
    }

    [Fact]
    public void Response_Any_IsReadBack()
    {
        Gen<(SingleResponse[] Singles, DateTimeOffset ProducedAt, byte[] KeyHash, OcspExtensionCollection Extensions, byte[] Signature)> contents =
            from singles in s_single.NonEmptyListOf()
            from producedAt in s_time
            from keyHash in Octets(20, 20)
            from extensions in s_extensions
            from signature in Octets(1, 600)
            select (singles.ToArray(), producedAt, keyHash, extensions, signature);

        Check.One(s_config, Prop.ForAll(contents.ToArbitrary(), content =>
        {
            ResponseData data = new(ResponderId.ByKey(content.KeyHash), content.ProducedAt, content.Singles, content.Extensions);
            AlgorithmIdentifier algorithm = new("1.3.6.1.4.1.99999.5");
            OcspResponse built = OcspResponse.FromBasic(BasicOcspResponse.Sign(data, new ReplayingSigner(algorithm, content.Signature, data.Encoded)));

            BasicOcspResponse read = OcspResponse.Decode(built.Encoded).Basic!;

            Assert.Equal(data.Encoded.ToArray(), read.Data.Encoded.ToArray());
            Assert.Equal(content.Signature, read.Signature.ToArray());
            Assert.Equal(algorithm, read.SignatureAlgorithm);
            Assert.Equal(ResponderId.ByKey(content.KeyHash), read.Data.ResponderId);
            Assert.Equal(Cut(content.ProducedAt), read.Data.ProducedAt);
            AssertEqual(content.Extensions, read.Data.Extensions);
            Assert.Equal(content.Singles.Length, read.Data.Responses.Count);
            foreach ((SingleResponse expected, SingleResponse actual) in content.Singles.Zip(read.Data.Responses))
            {
                Assert.Equal(expected.CertId, actual.CertId);
                Assert.Equal(expected.Status, actual.Status);
                Assert.Equal(Cut(expected.ThisUpdate), actual.ThisUpdate);
                Assert.Equal(expected.NextUpdate, actual.NextUpdate);
                AssertEqual(expected.Extensions, actual.Extensions);
            }
        }));
    }

    private static Gen<byte[]> Octets(int minimum, int maximum) => Gen.Choose(minimum, maximum).SelectMany(count => s_octet.ArrayOf(count));

    private static DateTimeOffset Cut(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    private static void AssertEqual(IEnumerable<OcspExtension> expected, IEnumerable<OcspExtension> actual) => Assert.Equal(
        expected.Select(extension => (extension.Oid, extension.IsCritical, Fixture.Hex(extension.Value))),
        actual.Select(extension => (extension.Oid, extension.IsCritical, Fixture.Hex(extension.Value))));
}
