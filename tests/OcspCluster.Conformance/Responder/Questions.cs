using System.Net.Sockets;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Asks a host over the wire, and judges what every answer must have.</summary>
public static class Questions
{
    /// <summary>responseStatus successful.</summary>
    public const int Successful = 0;

    /// <summary>responseStatus malformedRequest.</summary>
    public const int MalformedRequest = 1;

    /// <summary>responseStatus internalError.</summary>
    public const int InternalError = 2;

    /// <summary>responseStatus tryLater.</summary>
    public const int TryLater = 3;

    /// <summary>responseStatus sigRequired.</summary>
    public const int SigRequired = 5;

    /// <summary>responseStatus unauthorized.</summary>
    public const int Unauthorized = 6;

    /// <summary>Posts a body as OCSP clients do, on a connection of its own.</summary>
    public static Task<RawHttpResponse> PostAsync(this IResponderHost host, byte[] body, params IEnumerable<string> headers) =>
        RawHttp.SendAsync(host.OcspUri, RawHttp.Post(host.OcspUri, body, headers));

    /// <summary>Gets a target exactly as it is written, on a connection of its own.</summary>
    public static Task<RawHttpResponse> GetAsync(this IResponderHost host, string target, params IEnumerable<string> headers) =>
        RawHttp.SendAsync(host.OcspUri, RawHttp.Request(host.OcspUri, "GET", target, headers));

    /// <summary>Gets a request as RFC 6960 §A.1 writes it.</summary>
    public static Task<RawHttpResponse> GetAsync(this IResponderHost host, RawOcspRequest request, params IEnumerable<string> headers) =>
        host.GetAsync("/" + GetTarget.Escaped(request.Encode()), headers);

    /// <summary>Posts a request and reads the OCSP answer.</summary>
    public static async Task<RawOcspResponse> AskAsync(this IResponderHost host, RawOcspRequest request) => (await host.PostAsync(request.Encode())).Ocsp();

    /// <summary>Posts a request for one CertID and gives the one SingleResponse of the successful answer.</summary>
    public static async Task<RawSingleResponse> AskOneAsync(this IResponderHost host, RawCertId certId) =>
        Assert.Single((await host.AskAsync(RawOcspRequest.For(certId))).MustBe(Successful).Singles);

    /// <summary>The OCSP answer inside an HTTP 200, strict DER and nothing in it that DER leaves out (rules H13, D21).</summary>
    public static RawOcspResponse Ocsp(this RawHttpResponse response)
    {
        Assert.True(response.StatusCode == 200, $"Expected an OCSP answer, got {response.StatusLine}");
        Assert.Equal("application/ocsp-response", response.Header("Content-Type"));
        RawOcspResponse answer = RawOcspResponse.Parse(response.Body);
        Assert.Equal(Convert.ToHexString(response.Body), Convert.ToHexString(answer.Reencode()));
        return answer;
    }

    /// <summary>The answer has this responseStatus; if it is an error, it is the five octets and no more (rule R36).</summary>
    public static RawOcspResponse MustBe(this RawOcspResponse answer, int status)
    {
        Assert.True(answer.Status == status, $"Expected responseStatus {status}, got {answer.Status}.");
        if (status != Successful)
        {
            Assert.Equal(new byte[] { 0x30, 0x03, 0x0A, 0x01, (byte)status }, answer.Encoded);
        }

        return answer;
    }

    /// <summary>
    /// The answer is successful, speaks of exactly these CertIDs in this order, octet for octet, and is signed by what may sign for the issuer.
    /// </summary>
    public static RawOcspResponse MustAnswer(this RawOcspResponse answer, IssuerSetup issuer, params IEnumerable<RawCertId> certIds)
    {
        answer.MustBe(Successful);
        Assert.Equal(certIds.Select(certId => Convert.ToHexString(certId.Encode())), answer.Singles.Select(single => Convert.ToHexString(single.CertId)));
        Assert.True(answer.Denotes(issuer.Responder.Certificate), "ResponderID does not denote the responder's certificate.");
        Assert.True(answer.IsSignedBy(issuer.Responder.Certificate), "The signature does not verify.");
        if (issuer.IsDelegated)
        {
            byte[] certificate = Assert.Single(answer.Certificates ?? []);
            Assert.Equal(issuer.Responder.Certificate.RawData, certificate);
            Assert.True(SignatureCheck.IsIssuedBy(issuer.Responder.Certificate, issuer.Certificate), "The delegate is not issued by the issuer.");
        }
        else
        {
            Assert.Null(answer.Certificates);
        }

        return answer;
    }

    /// <summary>Posts many bodies one after the other, again on a new connection where the host closed the last one.</summary>
    public static async Task<IReadOnlyList<RawHttpResponse>> PostAllAsync(this IResponderHost host, IEnumerable<byte[]> bodies) =>
        await host.SendAllAsync(bodies.Select(body => RawHttp.Post(host.OcspUri, body)));

    /// <summary>Sends many HTTP messages one after the other, again on a new connection where the host closed the last one.</summary>
    public static async Task<IReadOnlyList<RawHttpResponse>> SendAllAsync(this IResponderHost host, IEnumerable<byte[]> messages)
    {
        List<RawHttpResponse> responses = [];
        RawHttpConnection? connection = null;
        try
        {
            foreach (byte[] message in messages)
            {
                bool reused = connection is not null;
                connection ??= await RawHttpConnection.ConnectAsync(host.OcspUri);
                RawHttpResponse response;
                try
                {
                    await connection.SendAsync(message);
                    response = await connection.ReadResponseAsync();
                }
                catch (Exception e) when (reused && e is SocketException or EndOfStreamException)
                {
                    connection.Dispose();
                    connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
                    await connection.SendAsync(message);
                    response = await connection.ReadResponseAsync();
                }

                responses.Add(response);
                if (response.List("Connection").Contains("close"))
                {
                    connection.Dispose();
                    connection = null;
                }
            }
        }
        finally
        {
            connection?.Dispose();
        }

        return responses;
    }

    /// <summary>Posts each body and fails with the names of all that were not refused as malformedRequest.</summary>
    public static async Task MustRefuseAsync(this IResponderHost host, IEnumerable<(string Name, byte[] Body)> cases)
    {
        (string Name, byte[] Body)[] all = [.. cases];
        Assert.NotEmpty(all);
        IReadOnlyList<RawHttpResponse> responses = await host.PostAllAsync(all.Select(one => one.Body));
        string[] wrong =
        [
            .. all.Zip(responses)
                .Where(pair => pair.Second.StatusCode != 200 || !pair.Second.Body.AsSpan().SequenceEqual(new byte[] { 0x30, 0x03, 0x0A, 0x01, 0x01 }))
                .Select(pair => $"{pair.First.Name}: {pair.Second.StatusLine} {Convert.ToHexString(pair.Second.Body.AsSpan(0, Math.Min(5, pair.Second.Body.Length)))} for {Abbreviate(pair.First.Body)}"),
        ];
        Assert.True(wrong.Length == 0, $"{wrong.Length} of {all.Length} not refused as malformedRequest:\n{string.Join('\n', wrong)}");
    }

    private static string Abbreviate(byte[] body) => body.Length <= 160 ? Convert.ToHexString(body) : $"{Convert.ToHexString(body.AsSpan(0, 160))}… ({body.Length} octets)";
}
