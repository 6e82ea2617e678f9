using System.Globalization;
using System.Numerics;
using Microsoft.Playwright;

namespace OcspCluster.Dashboard.Tests;

/// <summary>What an operator does with certificates, and what relying parties hear of it: openssl is asked.</summary>
public sealed class ActionTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("{0}")]
    [InlineData("0x{0}")]
    [InlineData("colons")]
    [InlineData("small")]
    [InlineData("decimal")]
    public async Task Search_InAnyNotation_FindsTheCertificate(string notation)
    {
        string serial = await Certificates.SerialOfAsync(_host, "revoked.pem");
        string text = notation switch
        {
            "colons" => string.Join(':', serial.Chunk(2).Select(pair => new string(pair))),
            "small" => serial.ToLowerInvariant(),
            "decimal" => BigInteger.Parse("0" + serial, NumberStyles.HexNumber, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
            _ => string.Format(CultureInfo.InvariantCulture, notation, serial),
        };
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates");
        await visit.Page.GetByLabel("Serial number").FillAsync(text);
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.SeeAsync("Revoked since");
        Assert.Contains(serial, (await visit.Main.Locator("h1").InnerTextAsync()).Replace(":", "", StringComparison.Ordinal), StringComparison.Ordinal);
        visit.MustHaveBeenClean();
    }

    [Theory]
    [InlineData("0xc0ffee", "has told nothing of this certificate")] // it can be no other: its place says so, and what a relying party is told
    [InlineData("12345", "No certificate 12345")] // in neither reading
    public async Task Search_ForWhatNobodyTold_SaysSo(string serial, string said)
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates");
        await visit.Page.GetByLabel("Serial number").FillAsync(serial);
        await visit.Button("Search").ClickAsync();
        await visit.SeeAsync(said);
        visit.MustHaveBeenClean();
    }

    [Theory]
    [InlineData("held.pem")]
    [InlineData("held.der")]
    public async Task Upload_OfACertificate_FindsIt(string file)
    {
        byte[] content = await File.ReadAllBytesAsync(_host.DemoFile("held.pem"));
        if (file.EndsWith(".der", StringComparison.Ordinal))
        {
            using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(System.Text.Encoding.ASCII.GetString(content));
            content = certificate.RawData;
        }

        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates");
        await visit.Page.GetByLabel("Certificate in PEM or DER").SetInputFilesAsync(new FilePayload { Name = file, MimeType = "application/octet-stream", Buffer = content });
        await visit.SeeAsync("Held since");
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Revocation_IsAcknowledged_AndOpenSslHearsIt_AndTheJournalHasTheName()
    {
        Assert.Contains("good.pem: good", await _host.AskOpenSslAsync("good.pem"), StringComparison.Ordinal);
        string serial = await Certificates.SerialOfAsync(_host, "good.pem");
        await using Visit visit = await _host.VisitAsync(chromium, _host.CreateKey("alice", "operator"));
        await visit.GoAsync("certificates/demo/" + serial);
        await visit.Button("Revoke…").ClickAsync();
        ILocator confirm = visit.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke", Exact = true });
        await visit.Page.GetByLabel("To confirm").FillAsync(serial[^6..]);
        Assert.True(await confirm.IsDisabledAsync()); // no reason was chosen
        await visit.Page.GetByLabel("Reason").SelectOptionAsync("keyCompromise");
        await visit.Page.GetByLabel("To confirm").FillAsync("wrong");
        Assert.True(await confirm.IsDisabledAsync());
        await visit.Page.GetByLabel("To confirm").FillAsync(serial[^6..].ToLowerInvariant());
        await confirm.ClickAsync();
        await visit.SeeAsync("no older answer is given any more");
        string answer = await _host.AskOpenSslAsync("good.pem");
        Assert.Contains("good.pem: revoked", answer, StringComparison.Ordinal);
        Assert.Contains("keyCompromise", answer, StringComparison.Ordinal);
        await visit.Main.GetByRole(AriaRole.Region, new() { Name = "History" }).GetByText("(alice)").First.WaitForAsync();
        Assert.Equal(0, await visit.Button("Revoke…").CountAsync());
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Hold_AndRelease_AreHeardByOpenSsl()
    {
        string serial = await Certificates.SerialOfAsync(_host, "good.pem");
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates/demo/" + serial);
        await visit.Button("Hold…").ClickAsync();
        await ConfirmAsync(visit, serial, "Hold");
        await visit.SeeAsync("Held since");
        string held = await _host.AskOpenSslAsync("good.pem");
        Assert.Contains("good.pem: revoked", held, StringComparison.Ordinal);
        Assert.Contains("certificateHold", held, StringComparison.Ordinal);

        await visit.Button("Release…").ClickAsync();
        await ConfirmAsync(visit, serial, "Release");
        await visit.Button("Hold…").WaitForAsync();
        Assert.Contains("good.pem: good", await _host.AskOpenSslAsync("good.pem"), StringComparison.Ordinal);
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Bulk_IsTriedFirst_AndThenDone()
    {
        string good = await Certificates.SerialOfAsync(_host, "good.pem");
        string revoked = await Certificates.SerialOfAsync(_host, "revoked.pem");
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates");
        await visit.Button("Many at once…").ClickAsync();
        await visit.Page.GetByLabel("Reason").SelectOptionAsync("superseded");
        await visit.Page.GetByLabel("Serial numbers, one per line").FillAsync($"{good}\n{revoked} # revoked long ago\nno serial\n");
        await visit.Button("Try, and change nothing").ClickAsync();
        ILocator dialog = visit.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByText("1 of 3 would be revoked. Nothing has been changed.").WaitForAsync();
        Assert.Contains("good.pem: good", await _host.AskOpenSslAsync("good.pem"), StringComparison.Ordinal);
        Assert.Equal("", await visit.FindAccessibilityProblemsAsync());

        Assert.True(await visit.Button("Revoke 1").IsDisabledAsync());
        await dialog.GetByLabel("To go on").FillAsync("revoke 1");
        await visit.Button("Revoke 1").ClickAsync();
        await dialog.GetByText("1 of 3 are revoked").WaitForAsync();
        Assert.Contains("good.pem: revoked", await _host.AskOpenSslAsync("good.pem"), StringComparison.Ordinal);
        await dialog.GetByText("Close", new() { Exact = true }).ClickAsync();
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Answer_InTheCache_IsDecodedFieldByField()
    {
        string serial = await Certificates.SerialOfAsync(_host, "revoked.pem");
        Assert.Contains("revoked.pem: revoked", await _host.AskOpenSslAsync("revoked.pem"), StringComparison.Ordinal);
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("certificates/demo/" + serial);
        await visit.Page.Locator("details.response summary").First.ClickAsync();
        ILocator Field(string name) => visit.Page.Locator("button.field").Filter(new() { Has = visit.Page.Locator(".field-name", new() { HasTextRegex = new System.Text.RegularExpressions.Regex($"^{name}$") }) });
        Assert.Contains("successful", await Field("responseStatus").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("revoked", await Field("certStatus").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("keyCompromise", await Field("revocationReason").InnerTextAsync(), StringComparison.Ordinal);
        await Field("serialNumber").First.ClickAsync();
        string marked = string.Concat(await visit.Page.Locator(".hex mark").AllInnerTextsAsync()).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant();
        Assert.EndsWith(serial, marked, StringComparison.Ordinal); // the octets of an INTEGER with this content
        Assert.StartsWith("02", marked, StringComparison.Ordinal);
        await visit.SeeAsync("It was revoked"); // the explanation
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Revocation_ByTheKeyboardAlone_Works()
    {
        string serial = await Certificates.SerialOfAsync(_host, "good.pem");
        await using Visit visit = await Visit.StartAsync(chromium.Browser, _host.AdminUri);
        await visit.Page.GetByLabel("API key").WaitForAsync();
        await visit.Page.Keyboard.TypeAsync(_host.OperatorKey); // the field has the focus
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.GetByLabel("Log out").WaitForAsync();
        await TabToAsync(visit, "Certificates");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.GetByLabel("Serial number").WaitForAsync();
        await TabToAsync(visit, "Serial number");
        await visit.Page.Keyboard.TypeAsync(serial);
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.SeeAsync("Valid until");
        await TabToAsync(visit, "Revoke…");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.GetByRole(AriaRole.Dialog).WaitForAsync();
        await TabToAsync(visit, "Reason");
        await visit.Page.Keyboard.TypeAsync("sup");
        await TabToAsync(visit, "To confirm");
        await visit.Page.Keyboard.TypeAsync(serial[^6..]);
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.SeeAsync("no older answer is given any more");
        Assert.Contains("good.pem: revoked", await _host.AskOpenSslAsync("good.pem"), StringComparison.Ordinal);
        visit.MustHaveBeenClean();
    }

    private static async Task ConfirmAsync(Visit visit, string serial, string button)
    {
        await visit.Page.GetByLabel("To confirm").FillAsync(serial[^6..]);
        await visit.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await visit.SeeAsync("no older answer is given any more");
    }

    private static async Task TabToAsync(Visit visit, string name)
    {
        for (int i = 0; i < 60; i++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            string focused = await visit.Page.EvaluateAsync<string>("() => { const one = document.activeElement; return (one.ariaLabel ?? '') + (one.closest('label')?.innerText ?? one.innerText ?? ''); }");
            if (focused.Contains(name, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"'{name}' cannot be reached with the Tab key.");
    }
}
