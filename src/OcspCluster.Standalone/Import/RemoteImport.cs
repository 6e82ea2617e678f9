using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Standalone.Import;

/// <summary>Has a responder that runs import a file (<c>POST /v1/issuers/{issuer}/imports</c>).</summary>
internal static class RemoteImport
{
    /// <summary>Sends the file and reads the answer as it comes.</summary>
    /// <exception cref="ConfigurationException">The URL or the key cannot be used.</exception>
    /// <exception cref="HostStartException">The responder cannot be reached, or does not take it.</exception>
    public static async Task<ImportResult> RunAsync(ImportOrder order, Stream file, ImportConsole console, CancellationToken cancellationToken)
    {
        (Uri target, string key) = Read(order);
        using HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan }; // a key is not sent elsewhere; an import may be long
        using HttpRequestMessage request = new(HttpMethod.Post, target) { Content = new StreamContent(file, 1 << 16) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new HostStartException($"{order.Admin} does not take it: {await DescribeAsync(response, cancellationToken).ConfigureAwait(false)}");
            }

            using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            return await ReadAnswerAsync(lines, order, console, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            throw new HostStartException($"{order.Admin}: the responder cannot be reached, or was cut off: {e.Message} What was recorded stays; run the import again to go on.", e);
        }
    }

    private static async Task<ImportResult> ReadAnswerAsync(StreamReader lines, ImportOrder order, ImportConsole console, CancellationToken cancellationToken)
    {
        List<ImportProblem> problems = [];
        while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonProperty what = json.RootElement.EnumerateObject().First();
            switch (what.Name)
            {
                case "progress":
                    console.Tell(CountsOf(what.Value));
                    break;
                case "problem":
                    problems.Add(new ImportProblem(what.Value.GetProperty("line").GetInt64(), what.Value.GetProperty("detail").GetString()!));
                    break;
                case "summary":
                    return new ImportResult(CountsOf(what.Value), problems, what.Value.GetProperty("refusal").GetString(), what.Value.GetProperty("note").GetString());
                case "error":
                    throw new HostStartException($"{order.Admin}: {what.Value.GetProperty("detail").GetString()} Run the import again to go on.");
            }
        }

        throw new HostStartException($"{order.Admin}: the answer ended without a summary. What was recorded stays; run the import again to go on.");
    }

    private static ImportProgress CountsOf(JsonElement json) => new(
        json.GetProperty("lines").GetInt64(), json.GetProperty("applied").GetInt64(), json.GetProperty("duplicate").GetInt64(),
        json.GetProperty("unchanged").GetInt64(), json.GetProperty("problems").GetInt64(), json.GetProperty("settled").GetInt64());

    private static (Uri Target, string Key) Read(ImportOrder order)
    {
        List<ConfigurationProblem> problems = [];
        if (!Uri.TryCreate(order.Admin, UriKind.Absolute, out Uri? admin) || admin.Scheme is not ("http" or "https"))
        {
            problems.Add(new("--admin", order.Admin, "is not an http or https URL"));
        }

        string key = "";
        if (order.KeyFile is null)
        {
            problems.Add(new("--key-file", null, "is missing beside --admin: name the file with an API key, such as data/admin.key"));
        }
        else
        {
            try
            {
                key = File.ReadLines(order.KeyFile.FullName).FirstOrDefault()?.Trim() ?? "";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add(new("--key-file", order.KeyFile.ToString(), $"cannot be read: {e.Message}"));
            }
        }

        if (!IssuerId.IsValid(order.Issuer))
        {
            problems.Add(new("--issuer", order.Issuer, "is no issuer id"));
        }

        return problems.Count > 0
            ? throw new ConfigurationException(problems)
            : (new Uri(admin!, $"/v1/issuers/{order.Issuer}/imports?form={order.Form.ToString().ToLowerInvariant()}&dryRun={(order.IsDryRun ? "true" : "false")}"), key);
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string status = $"{(int)response.StatusCode} {response.ReasonPhrase}";
        try
        {
            using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
            return $"{status}: {problem.RootElement.GetProperty("detail").GetString()}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return status;
        }
    }
}
