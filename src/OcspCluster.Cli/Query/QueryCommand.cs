using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>The verb <c>query</c>: makes or reads a request, asks or reads a response, shows, saves and judges them.</summary>
internal sealed class QueryCommand : Command
{
    private readonly QueryOptions _options = new();
    private readonly Screen _screen;
    private readonly TimeProvider _clock;

    public QueryCommand(Screen screen, TimeProvider clock)
        : base("query", "Ask a responder, and show, save, read and verify requests and responses, as 'openssl ocsp' does and more")
    {
        _screen = screen;
        _clock = clock;
        foreach (Option option in _options.All)
        {
            Add(option);
        }

        Validators.Add(_options.Validate);
        SetAction((parsed, cancellationToken) => CommandLine.GuardAsync(screen, () => RunAsync(parsed, cancellationToken)));
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        IReadOnlyList<IReadOnlyList<X509Certificate2>> issuerFiles = [.. (parsed.GetValue(_options.Issuer) ?? []).Select(Files.ReadCertificates)];
        X509Certificate2[] issuers = [.. issuerFiles.SelectMany(file => file)];
        OcspVerificationOptions rules = _options.ReadRules(parsed, _clock);
        bool allowsPrivate = parsed.GetValue(_options.AllowPrivate);
        Uri? responder = _options.ReadResponder(parsed);
        OcspClientOptions settings = ClientSettings.Read(parsed, OcspClientOptions.Default with { Verification = rules with { Clock = _clock }, FetchIssuers = parsed.GetValue(_options.RespIn) is null });
        settings = settings with { PrivateAddresses = allowsPrivate ? PrivateAddressRule.Allow : responder is null ? PrivateAddressRule.Refuse : PrivateAddressRule.AllowGiven };
        using OcspClient client = new(settings with { Limits = settings.Limits with { MaxChainLength = 2 } }); // of a chain, only the issuer is needed

        List<Question> questions = [.. await ReadCertificatesAsync(parsed, client, issuers, cancellationToken).ConfigureAwait(false), .. ReadSerials(parsed, issuerFiles)];
        OcspRequest? request = ReadRequest(parsed, questions);
        if (parsed.GetValue(_options.ReqIn) is not null)
        {
            questions = [.. request!.Requests.Select(single => Question.Of(single.CertId, issuers))];
        }

        ShowRequest(parsed, request);
        OcspExchange? exchange = null;
        OcspResponse response;
        if (parsed.GetValue(_options.RespIn) is string respIn)
        {
            response = ReadResponse(respIn);
            questions = questions.Count > 0 ? questions : [.. (response.Basic?.Data.Responses ?? []).Select(single => Question.Of(single.CertId, issuers))];
        }
        else if ((responder ?? ResponderOf(questions)) is Uri to)
        {
            exchange = await AskAsync(parsed, client, request!, to, responder is null, cancellationToken).ConfigureAwait(false);
            response = exchange.Response!;
        }
        else if (WasShown(parsed))
        {
            return ExitCode.Good; // made, shown or saved: nobody was to be asked
        }
        else
        {
            throw new CommandFailure("There is no responder to ask: the certificate names none. Name one with --url URL.");
        }

        if (parsed.GetValue(_options.Text) || parsed.GetValue(_options.RespText))
        {
            new MessageText(_screen.Output, _screen.IsTerminal ? _screen.Console.Profile.Width : null).Write(response);
        }

        return Judge(parsed, questions, request, response, exchange, rules, issuers);
    }

    private int Judge(ParseResult parsed, List<Question> questions, OcspRequest? request, OcspResponse response, OcspExchange? exchange, OcspVerificationOptions rules, X509Certificate2[] issuers)
    {
        if (issuers.Length == 0 && questions.All(question => question.Issuer is null) && WasShown(parsed) && !parsed.GetValue(_options.NoVerify))
        {
            return ExitCode.Good; // shown, as asked; nobody named a CA to judge it by
        }

        if (questions.Count == 0)
        {
            throw new CommandFailure($"The responder answered with the error {response.Status}.");
        }

        RefuseUntrusted(parsed, questions, rules.Clock);
        rules = rules with { Nonce = request?.Nonce, RequireNonce = request?.Nonce is not null && parsed.GetValue(_options.Nonce) == NonceUse.Required };
        Answer[] answers = [.. questions.Select(question => parsed.GetValue(_options.NoVerify) ? Answer.Believe(question, response) : Answer.Verify(question, response, rules))];
        foreach (Answer answer in answers)
        {
            if (parsed.GetValue(ClientSettings.Json))
            {
                AnswerScreen.PrintJson(_screen.Output, answer, response, exchange);
            }
            else
            {
                AnswerScreen.Print(_screen, answer, response, exchange, rules.Clock.GetUtcNow());
            }
        }

        return ExitCode.OfAll(answers.Select(answer => ExitCode.Of(answer.Status)));
    }

    // The issuer whose key signed the certificate; what else is in its file is a candidate.
    private async Task<IReadOnlyList<Question>> ReadCertificatesAsync(ParseResult parsed, OcspClient client, X509Certificate2[] issuers, CancellationToken cancellationToken)
    {
        List<Question> questions = [];
        CertIdHash hash = _options.ReadHash(parsed);
        foreach (string path in parsed.GetValue(_options.Cert) ?? [])
        {
            IReadOnlyList<X509Certificate2> file = Files.ReadCertificates(path);
            IReadOnlyList<X509Certificate2> chain = await client.FindChainAsync(file[0], [.. issuers, .. file.Skip(1)], cancellationToken).ConfigureAwait(false);
            questions.Add(chain.Count > 1
                ? new Question(path, CertId.Create(file[0], chain[1], hash), chain[1], file[0])
                : throw new CommandFailure($"The issuer of '{path}' ({file[0].Issuer}) was not found{(issuers.Length > 0 ? " among those given, by name and signature" : "")}. Name it with --issuer FILE."));
        }

        return questions;
    }

    // A serial number belongs to the --issuer that stands last before it, as with openssl ocsp.
    private IEnumerable<Question> ReadSerials(ParseResult parsed, IReadOnlyList<IReadOnlyList<X509Certificate2>> issuerFiles)
    {
        CertIdHash hash = _options.ReadHash(parsed);
        int issuer = -1;
        string option = "";
        foreach (Token token in parsed.Tokens)
        {
            if (token.Type == TokenType.Option)
            {
                option = token.Value;
            }
            else if (option == _options.Issuer.Name)
            {
                issuer++;
            }
            else if (option == _options.Serial.Name)
            {
                string hex = token.Value.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? token.Value[2..] : token.Value;
                if (!SerialNumber.TryParseHex(hex.Replace(":", "", StringComparison.Ordinal), out SerialNumber serial))
                {
                    throw new CommandFailure($"--serial: '{token.Value}' is not a serial number in hexadecimal.", ExitCode.Usage);
                }

                X509Certificate2 of = issuerFiles[Math.Max(issuer, 0)][0];
                yield return new Question(serial.ToString(), CertId.Create(of, serial, hash), of);
            }
        }
    }

    private OcspRequest? ReadRequest(ParseResult parsed, List<Question> questions)
    {
        if (parsed.GetValue(_options.ReqIn) is string path)
        {
            return OcspRequest.TryDecode(Files.ReadBytes(path), out OcspRequest? read, out DecodeError error)
                ? read
                : throw new CommandFailure($"'{path}' is not an OCSP request: {error}.");
        }

        // Beside a saved response no request is made: its nonce would be another.
        return questions.Count == 0 || parsed.GetValue(_options.RespIn) is not null ? null : BuildRequest(parsed, questions);
    }

    private OcspRequest BuildRequest(ParseResult parsed, List<Question> questions)
    {
        OcspRequestBuilder builder = new();
        foreach (Question question in questions)
        {
            builder.Add(question.CertId);
        }

        if (_options.ReadNonce(parsed) is OcspNonce nonce)
        {
            builder.AddNonce(nonce);
        }

        if (parsed.GetValue(_options.Signer) is not string signer)
        {
            return builder.Build();
        }

        RequestSigning signing = RequestSigning.FromCertificate(Files.ReadSigner(signer, parsed.GetValue(_options.SignKey) ?? signer, parsed.GetValue(_options.SignPassword)));
        builder.RequestorName = signing.RequestorName;
        IEnumerable<ReadOnlyMemory<byte>> others = (parsed.GetValue(_options.SignOther) ?? []).SelectMany(Files.ReadCertificates).Select(certificate => certificate.RawDataMemory);
        return builder.Sign(signing.Signer, parsed.GetValue(_options.NoCerts) ? [] : [.. signing.Certificates, .. others]);
    }

    private void ShowRequest(ParseResult parsed, OcspRequest? request)
    {
        bool isShown = parsed.GetValue(_options.Text) || parsed.GetValue(_options.ReqText);
        if (request is null)
        {
            return;
        }

        if (isShown)
        {
            new MessageText(_screen.Output, _screen.IsTerminal ? _screen.Console.Profile.Width : null).Write(request);
        }

        if (parsed.GetValue(_options.ReqOut) is string path)
        {
            Files.Write(path, request.Encoded.Span);
        }
    }

    private bool WasShown(ParseResult parsed) => parsed.GetValue(_options.ReqOut) is not null
        || parsed.GetValue(_options.Text) || parsed.GetValue(_options.ReqText) || parsed.GetValue(_options.RespText);

    private static Uri? ResponderOf(IEnumerable<Question> questions) =>
        questions.Where(question => question.Certificate is not null).SelectMany(question => CertificateAddresses.Read(question.Certificate!).Responders).FirstOrDefault();

    private async Task<OcspExchange> AskAsync(ParseResult parsed, OcspClient client, OcspRequest request, Uri responder, bool isFromCertificate, CancellationToken cancellationToken)
    {
        OcspExchange exchange = await client.SendAsync(request, responder, parsed.GetValue(_options.Method), cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(_options.RespOut) is string path && exchange.Failure == RevocationFailure.None)
        {
            Files.Write(path, exchange.Body.Span);
        }

        string advice = exchange.Failure == RevocationFailure.AddressRefused && isFromCertificate ? " If the address is one of your own network, say --allow-private." : "";
        return exchange.Response is null || (exchange.HttpStatus != 200 && exchange.Response.Status == OcspResponseStatus.Successful)
            ? throw new CommandFailure($"{responder}: {exchange.Message}{advice}")
            : exchange;
    }

    private static OcspResponse ReadResponse(string path) =>
        OcspResponse.TryDecode(Files.ReadBytes(path), out OcspResponse? response, out DecodeError error, OcspVerificationOptions.Default.Decoding)
            ? response
            : throw new CommandFailure($"'{path}' is not an OCSP response: {error}.");

    private void RefuseUntrusted(ParseResult parsed, IEnumerable<Question> questions, TimeProvider clock)
    {
        X509Certificate2[] roots = [.. (parsed.GetValue(_options.CaFile) ?? []).SelectMany(Files.ReadCertificates)];
        if (roots.Length == 0)
        {
            return;
        }

        foreach (X509Certificate2 issuer in questions.Select(question => question.Issuer).OfType<X509Certificate2>().Distinct())
        {
            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationTime = clock.GetUtcNow().UtcDateTime;
            if (!chain.Build(issuer))
            {
                throw new CommandFailure($"'{issuer.Subject}' does not lead to a root of --ca-file: {string.Join(" ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()))}");
            }
        }
    }
}
