using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// Has every key sign once when the program starts. One that is not its certificate's key stops the start; one that does not answer may answer later, and the other
/// issuers have done nothing wrong.
/// </summary>
internal sealed partial class SignerSelfTest(IssuerDirectory directory, ResponseFactory factory, ILogger<SignerSelfTest> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        List<string> wrong = [];
        foreach (Issuer issuer in directory.Issuers)
        {
            foreach (SigningResult failure in await factory.SelfTestAsync(issuer, cancellationToken).ConfigureAwait(false))
            {
                if (failure.Failure == SigningFailure.Wrong)
                {
                    wrong.Add($"Issuer '{issuer.Id}': {failure.Reason}");
                }
                else
                {
                    LogNotAnswering(issuer.Id, failure.Reason, failure.Cause);
                }
            }
        }

        if (wrong.Count > 0)
        {
            throw new OptionsValidationException(nameof(Issuer), typeof(Issuer), wrong);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(6, LogLevel.Error, "A key of issuer {Issuer} failed its self-test: {Reason}")]
    private partial void LogNotAnswering(IssuerId issuer, string reason, Exception? exception);
}
