using System.Globalization;
using System.Text;
using OcspCluster.Testing;
using Tlv = OcspCluster.Testing.Der; // not the product's own Der

namespace OcspCluster.Protocol.Tests.Crls;

/// <summary>Conformance L29 to L36 and D of a CRL's reader: sound CRLs by others, and one broken rule at a time.</summary>
public class CertificateListTests
{
    /// <summary>The errors that only a CRL can have; the fixtures of OCSP messages have the others.</summary>
    public static readonly DecodeError[] Errors = [DecodeError.UnknownCriticalExtension, DecodeError.IndirectCrl, DecodeError.EmptyRevokedCertificates];

    private static readonly Testing.TestPki s_pki = Testing.TestPki.CreateRoot("crl", TestKey.P256());
    private static readonly DateTimeOffset s_day = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly RawCrl s_sound = new(s_pki) { Entries = [new([0x01], s_day), RawCrlEntry.WithReason([0x02], s_day, 1)] };

    private static readonly Dictionary<string, (RawCrl Crl, DecodeError Error)> s_broken = new()
    {
        ["version 1 with extensions"] = (s_sound with { Version = null }, DecodeError.UnsupportedVersion),
        ["version 1 with an entry's extensions"] = (s_sound with { Version = null, Number = null }, DecodeError.UnsupportedVersion),
        ["version 1 written out"] = (s_sound with { Version = 0 }, DecodeError.UnsupportedVersion),
        ["version 3"] = (s_sound with { Version = 2 }, DecodeError.UnsupportedVersion),
        ["entries that are none"] = (s_sound with { RawEntries = Tlv.Sequence() }, DecodeError.EmptyRevokedCertificates),
        ["an entry that is no SEQUENCE"] = (s_sound with { RawEntries = Tlv.Sequence(Tlv.Null) }, DecodeError.MalformedDer),
        ["an entry cut short"] = (s_sound with { RawEntries = Tlv.Sequence([0x30, 0x05, 0x02, 0x01, 0x01]) }, DecodeError.MalformedDer),
        ["an entry without a date"] = (s_sound with { RawEntries = Tlv.Sequence(Tlv.Sequence(Tlv.Number(0x01))) }, DecodeError.MalformedDer),
        ["a serial with a redundant octet"] = (s_sound with { Entries = [new([0x00, 0x01], s_day)] }, DecodeError.InvalidSerialNumber),
        ["an empty serial"] = (s_sound with { Entries = [new([], s_day)] }, DecodeError.InvalidSerialNumber),
        ["UTCTime without seconds"] = (WithDate(0x17, "2606010000Z"), DecodeError.InvalidTime),
        ["UTCTime with an offset"] = (WithDate(0x17, "260601000000+0100"), DecodeError.InvalidTime),
        ["GeneralizedTime with a fraction"] = (WithDate(0x18, "20260601000000.5Z"), DecodeError.InvalidTime),
        ["reason 7"] = (s_sound with { Entries = [RawCrlEntry.WithReason([0x01], s_day, 7)] }, DecodeError.InvalidReason),
        ["reason 11"] = (s_sound with { Entries = [RawCrlEntry.WithReason([0x01], s_day, 11)] }, DecodeError.InvalidReason),
        ["removeFromCRL in a complete CRL"] = (s_sound with { Entries = [RawCrlEntry.WithReason([0x01], s_day, 8)] }, DecodeError.InvalidReason),
        ["an entry's extension twice"] = (s_sound with { Entries = [new([0x01], s_day, RawCrl.Reason(1), RawCrl.Reason(1))] }, DecodeError.DuplicateExtension),
        ["an entry's extensions that are none"] = (s_sound with { RawEntries = Tlv.Sequence(Tlv.Sequence(Tlv.Number(0x01), RawCrl.Time(s_day), Tlv.Sequence())) }, DecodeError.EmptyExtensions),
        ["an entry's unknown critical extension"] = (s_sound with { Entries = [new([0x01], s_day, new RawExtension("1.2.3.4", Tlv.Null, Critical: true))] }, DecodeError.UnknownCriticalExtension),
        ["a certificateIssuer"] = (s_sound with { Entries = [new([0x01], s_day, new RawExtension("2.5.29.29", Tlv.Sequence(), Critical: true))] }, DecodeError.IndirectCrl),
        ["an unknown critical extension"] = (s_sound with { Extensions = [new("1.2.3.4", Tlv.Null, Critical: true)] }, DecodeError.UnknownCriticalExtension),
        ["an extension twice"] = (s_sound with { Extensions = [new("1.2.3.4", Tlv.Null), new("1.2.3.4", Tlv.Null)] }, DecodeError.DuplicateExtension),
        ["a negative number"] = (s_sound with { Number = -1 }, DecodeError.InvalidExtension),
        ["a number of 21 octets"] = (s_sound with { Number = null, Extensions = [new("2.5.29.20", Tlv.Number([0x01, .. new byte[20]]))] }, DecodeError.InvalidExtension),
        ["a number that is not minimal"] = (s_sound with { Number = null, Extensions = [new("2.5.29.20", Tlv.Number(0x00, 0x01))] }, DecodeError.InvalidExtension),
        ["an empty scope"] = (s_sound with { Scope = [] }, DecodeError.InvalidExtension),
        ["a scope of users and of CAs"] = (s_sound with { Scope = [.. Tlv.Implicit(1, 0xFF), .. Tlv.Implicit(2, 0xFF)] }, DecodeError.InvalidExtension),
        ["a scope with a BOOLEAN of BER"] = (s_sound with { Scope = Tlv.Implicit(1, 0x01) }, DecodeError.InvalidExtension),
        ["an indirect scope"] = (s_sound with { Scope = Tlv.Implicit(4, 0xFF) }, DecodeError.IndirectCrl),
        ["a delta without a number"] = (s_sound with { Number = null, BaseNumber = 1 }, DecodeError.InvalidExtension),
        ["a delta of its own number"] = (s_sound with { Number = 3, BaseNumber = 3 }, DecodeError.InvalidExtension),
    };

    public static TheoryData<string> Broken => [.. s_broken.Keys];

    [Theory]
    [MemberData(nameof(Broken))]
    public void D16_Decode_OfABrokenCrl_NamesTheRule(string rule)
    {
        (RawCrl crl, DecodeError expected) = s_broken[rule];
        byte[] der = crl.Encode();

        Assert.False(CertificateList.TryDecode(der, out _, out DecodeError error));

        Assert.Equal(expected, error);
        Assert.Equal(expected, Assert.Throws<OcspFormatException>(() => CertificateList.Decode(der)).Error);
    }

    [Fact]
    public void Decode_CutAtAnyOctetOrWithOneMore_IsRefused()
    {
        byte[] whole = s_sound.Encode();
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.False(CertificateList.TryDecode(whole.AsMemory(0, length), out _, out _));
        }

        Assert.False(CertificateList.TryDecode((byte[])[.. whole, 0x00], out _, out _));
    }

    [Fact]
    public void Decode_WithAnyOctetChanged_IsRefusedOrNotVerified()
    {
        byte[] whole = s_sound.Encode();
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 0x41;
            if (CertificateList.TryDecode(changed, out CertificateList? list, out _))
            {
                Assert.NotEqual(CrlSignatureCheck.Verified, list.CheckSignature(s_pki.Certificate, OcspSignatureVerifier.Default));
            }
        }
    }

    [Fact]
    public void Decode_OfVersion1WithoutExtensions_IsRead()
    {
        CertificateList list = CertificateList.Decode((s_sound with { Version = null, Number = null, NextUpdate = null, Entries = [new([0x01], s_day)] }).Encode());

        Assert.Equal((1, null, null, false, 1), (list.Version, list.CrlNumber, list.NextUpdate, list.IsDelta, list.Count));
        Assert.Equal([new RevokedCertificate(SerialNumber.ParseHex("01"), s_day)], list.RevokedCertificates);
    }

    [Fact]
    public void D16_Decode_OfGeneralizedTimeBefore2050_IsRead() // D16: the writer's fault, not a reason to lose the revocation
    {
        Assert.Equal(s_day, Assert.Single(CertificateList.Decode(WithDate(0x18, "20260601000000Z").Encode()).RevokedCertificates).RevocationDate);
    }

    [Fact]
    public void Decode_OfAnUnknownReason_IsARevocationWhereAskedFor() // D17
    {
        byte[] der = (s_sound with { Entries = [RawCrlEntry.WithReason([0x01], s_day, 11)] }).Encode();

        Assert.Equal([new RevokedCertificate(SerialNumber.ParseHex("01"), s_day)], CertificateList.Decode(der, new DecodeOptions { AcceptUnknownReasons = true }).RevokedCertificates);
    }

    [Theory]
    [InlineData("full", "1427247692705959881058285969449495136382746631", null, "1001 KeyCompromise 20260502; 4000000000000000000000000000000000000001 - -; 1003 CertificateHold -")]
    [InlineData("empty", "0", null, "")]
    [InlineData("shard", "5", null, "1001 Superseded -")]
    [InlineData("some-reasons", "5", null, "1001 KeyCompromise -")]
    [InlineData("delta", "9", "7", "1003 RemoveFromCrl -; 1004 PrivilegeWithdrawn -")]
    public void Decode_OfACrlByPythonCryptography_ReadsWhatWasWritten(string name, string number, string? baseNumber, string entries)
    {
        CertificateList list = CertificateList.Decode(Fixture.Read($"crls/{name}.der"));

        Assert.Equal((number, baseNumber), (list.CrlNumber?.ToString(CultureInfo.InvariantCulture), list.BaseCrlNumber?.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal((s_day, s_day.AddDays(7)), (list.ThisUpdate, list.NextUpdate));
        Assert.Equal(20, list.AuthorityKeyIdentifier.Length);
        Assert.Equal(entries, string.Join("; ", list.RevokedCertificates.Select(
            entry => $"{entry.SerialNumber} {entry.Reason?.ToString() ?? "-"} {entry.InvalidityDate?.ToString("yyyyMMdd", CultureInfo.InvariantCulture) ?? "-"}")));
        Assert.Equal(CrlSignatureCheck.Verified, list.CheckSignature(Fixture.Ca, OcspSignatureVerifier.Default));
    }

    [Fact]
    public void Decode_OfAnIndirectCrlByPythonCryptography_IsRefusedByName()
    {
        OcspFormatException refused = Assert.Throws<OcspFormatException>(() => CertificateList.Decode(Fixture.Read("crls/indirect.der")));

        Assert.Equal(DecodeError.IndirectCrl, refused.Error);
        Assert.Contains("indirect", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scope_OfPartitionedCrls_IsWhatWasWritten()
    {
        IssuingDistributionPoint shard = CertificateList.Decode(Fixture.Read("crls/shard.der")).IssuingDistributionPoint!;
        IssuingDistributionPoint reasons = CertificateList.Decode(Fixture.Read("crls/some-reasons.der")).IssuingDistributionPoint!;

        Assert.Equal(("http://crl.example/shard-3.crl", true, false, false), (Assert.Single(shard.DistributionPoint).Text, shard.OnlyContainsUserCerts, shard.OnlyContainsCaCerts, shard.OnlyContainsAttributeCerts));
        Assert.Null(shard.OnlySomeReasons);
        Assert.Equal([RevocationReason.KeyCompromise, RevocationReason.AaCompromise], reasons.OnlySomeReasons);
        Assert.Null(CertificateList.Decode(Fixture.Read("crls/full.der")).IssuingDistributionPoint);
    }

    [Fact]
    public void Signature_OfAnotherCa_IsToldFromOneThatIsWrong()
    {
        CertificateList list = CertificateList.Decode(s_sound.Encode());
        CertificateList forged = CertificateList.Decode((s_sound with { Signer = TestKey.P256() }).Encode());

        Assert.Equal(CrlSignatureCheck.Verified, list.CheckSignature(s_pki.Certificate, OcspSignatureVerifier.Default));
        Assert.Equal(CrlSignatureCheck.OtherIssuer, list.CheckSignature(Fixture.Ca, OcspSignatureVerifier.Default));
        Assert.Equal(CrlSignatureCheck.Wrong, forged.CheckSignature(s_pki.Certificate, OcspSignatureVerifier.Default));
    }

    [Fact]
    public void Crl_MadeByOpenSsl_IsReadAndVerified()
    {
        using OpenSsl openssl = new();
        openssl.Write("ca.cnf", """
            [ca]
            default_ca = this
            [this]
            database = index.txt
            crlnumber = number
            default_md = sha256
            default_crl_days = 7
            crl_extensions = crl
            [crl]
            authorityKeyIdentifier = keyid:always
            [no]
            keyUsage = critical,keyCertSign
            [req]
            distinguished_name = dn
            [dn]
            """);
        openssl.Write("number", "1F2E\n");
        openssl.Write("index.txt", "R\t491231235959Z\t260520103005Z,superseded\t1001\tunknown\t/CN=a\nR\t491231235959Z\t260520103005Z,keyTime,20260501000000Z\tFF\tunknown\t/CN=b\nR\t491231235959Z\t260520103005Z\t1003\tunknown\t/CN=c\n");
        openssl.Run("req -x509 -newkey rsa:2048 -nodes -config ca.cnf -subj /CN=ca -addext subjectKeyIdentifier=hash -keyout ca.key -out ca.pem -days 30");
        openssl.Run("req -x509 -key ca.key -config ca.cnf -extensions no -subj /CN=ca -out no.pem -days 30");
        openssl.Run("ca -gencrl -config ca.cnf -keyfile ca.key -cert ca.pem -out crl.pem");
        openssl.Run("crl -in crl.pem -outform DER -out crl.der");
        openssl.Run("ca -gencrl -config ca.cnf -keyfile ca.key -cert ca.pem -sigopt rsa_padding_mode:pss -out pss.pem");

        CertificateList list = CertificateList.Decode(CertificateList.FromFile(openssl.Read("crl.pem")));

        Assert.Equal(openssl.Read("crl.der"), CertificateList.FromFile(openssl.Read("crl.der")).ToArray());
        Assert.Equal(openssl.Read("crl.der"), list.Encoded.ToArray());
        Assert.Equal(openssl.ReadText("crl.pem"), list.ToPem() + "\n");
        Assert.Equal((0x1F2E, 2), (list.CrlNumber, list.Version));
        DateTimeOffset revoked = new(2026, 5, 20, 10, 30, 5, TimeSpan.Zero);
        Assert.Equal(
            [
                new RevokedCertificate(SerialNumber.ParseHex("FF"), revoked, RevocationReason.KeyCompromise, new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero)),
                new RevokedCertificate(SerialNumber.ParseHex("1001"), revoked, RevocationReason.Superseded),
                new RevokedCertificate(SerialNumber.ParseHex("1003"), revoked),
            ],
            list.RevokedCertificates.OrderBy(entry => entry.SerialNumber.Content.Length).ThenBy(entry => entry.SerialNumber));
        Assert.Equal(CrlSignatureCheck.Verified, Check(list, "ca.pem"));
        Assert.Equal(CrlSignatureCheck.NoCrlSign, Check(list, "no.pem"));
        Assert.Equal(CrlSignatureCheck.Verified, Check(CertificateList.Decode(CertificateList.FromFile(openssl.Read("pss.pem"))), "ca.pem"));

        CrlSignatureCheck Check(CertificateList crl, string issuer) =>
            crl.CheckSignature(System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(openssl.Read(issuer)), OcspSignatureVerifier.Default);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>no such page</html>")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n")]
    public void FromFile_OfSomethingElse_IsLeftForTheDecoderToRefuse(string text)
    {
        byte[] content = Encoding.ASCII.GetBytes(text);

        Assert.Equal(content, CertificateList.FromFile(content).ToArray());
        Assert.False(CertificateList.TryDecode(content, out _, out DecodeError error));
        Assert.Equal(DecodeError.MalformedDer, error);
    }

    private static RawCrl WithDate(byte tag, string date) => s_sound with { RawEntries = Tlv.Sequence(Tlv.Sequence(Tlv.Number(0x01), Tlv.Text(tag, date))) };
}
