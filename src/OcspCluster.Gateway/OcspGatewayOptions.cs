using Microsoft.Extensions.Options;

namespace OcspCluster.Gateway;

/// <summary>What the OCSP endpoint accepts and spends, for all issuers.</summary>
public sealed class OcspGatewayOptions
{
    /// <summary>Under which paths OCSP is answered; a request path is <c>{prefix}</c> or <c>{prefix}/{base64}</c>. Default <c>/</c> and <c>/ocsp</c>.</summary>
    public IList<string> PathPrefixes { get; set; } = [];

    /// <summary>The longest body of a POST, in octets; a longer one is 413. 64 to 1,048,576. Default 16,384.</summary>
    public int MaxRequestBytes { get; set; } = 16 * 1024;

    /// <summary>The longest target of a GET, in octets; a longer one is 414. 255 to 7,000. Default 2,048.</summary>
    public int MaxTargetBytes { get; set; } = 2048;

    /// <summary>The most certificates in one request; more are malformedRequest. 1 to 1,000. Default 32.</summary>
    public int MaxCertIds { get; set; } = 32;

    /// <summary>Takes a POST of any content type; else one that is neither absent nor application/ocsp-request is 415. Default false.</summary>
    public bool AcceptAnyContentType { get; set; }

    /// <summary>
    /// The signatures per second that requests with a nonce or for several certificates may cost, all together; beyond them the answer is tryLater. 1 to 1,000,000. Default 1,000.
    /// </summary>
    public int NonceSignaturesPerSecond { get; set; } = 1000;

    /// <summary>
    /// The signatures per second that never issued serials may cost where they are answered <c>unknown</c> or <c>revoked</c>; beyond them the answer is tryLater. 1 to 1,000,000. Default 100.
    /// </summary>
    public int UnissuedSignaturesPerSecond { get; set; } = 100;

    /// <summary>
    /// How long HTTP caches may keep an unsigned <c>unauthorized</c>; zero is no-store. It spares requests for what was never issued, and delays the first answer for what is issued then. 0 to 1 hour. Default 0.
    /// </summary>
    public TimeSpan UnauthorizedMaxAge { get; set; }

    /// <summary>The memory for signed answers, in bytes; the least used ones make room. 1,048,576 and more. Default 536,870,912.</summary>
    public long CacheBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>The prefixes in force, in the form that the reader compares: no trailing slash, longest first.</summary>
    internal IReadOnlyList<string> EffectivePathPrefixes =>
        [.. (PathPrefixes.Count == 0 ? ["/", "/ocsp"] : PathPrefixes).Select(prefix => prefix.TrimEnd('/')).Distinct().OrderByDescending(prefix => prefix.Length)];
}

/// <summary>Finds every value that breaks its bounds, and names key, value and bound.</summary>
internal sealed class OcspGatewayOptionsValidator : IValidateOptions<OcspGatewayOptions>
{
    public ValidateOptionsResult Validate(string? name, OcspGatewayOptions options)
    {
        List<string> errors = [];
        Check(nameof(options.MaxRequestBytes), options.MaxRequestBytes, 64, 1024 * 1024);
        Check(nameof(options.MaxTargetBytes), options.MaxTargetBytes, 255, 7000);
        Check(nameof(options.MaxCertIds), options.MaxCertIds, 1, 1000);
        Check(nameof(options.NonceSignaturesPerSecond), options.NonceSignaturesPerSecond, 1, 1_000_000);
        Check(nameof(options.UnissuedSignaturesPerSecond), options.UnissuedSignaturesPerSecond, 1, 1_000_000);
        Check(nameof(options.CacheBytes), options.CacheBytes, 1024 * 1024, long.MaxValue);
        if (options.UnauthorizedMaxAge < TimeSpan.Zero || options.UnauthorizedMaxAge > TimeSpan.FromHours(1))
        {
            errors.Add($"Ocsp:{nameof(options.UnauthorizedMaxAge)} is {options.UnauthorizedMaxAge}: 00:00:00 to 01:00:00");
        }

        errors.AddRange(options.PathPrefixes.Where(prefix => !PathPrefix.IsValid(prefix)).Select(prefix => $"Ocsp:{nameof(options.PathPrefixes)} has '{prefix}': {PathPrefix.Rule}"));

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Check(string key, long value, long least, long most)
        {
            if (value < least || value > most)
            {
                errors.Add($"Ocsp:{key} is {value}: {least} to {most}");
            }
        }
    }
}
