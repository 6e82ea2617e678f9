using OcspCluster.Authority;
using OcspCluster.Gateway;
using Orleans.Concurrency;

namespace OcspCluster.Silo.Certificates;

/// <summary>What became of a request that was answered elsewhere.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Response">The signed answer; null for an unsigned error.</param>
[GenerateSerializer]
[Immutable]
internal sealed record ElsewhereReply([property: Id(0)] OcspOutcome Outcome, [property: Id(1)] SignedResponse? Response);

/// <summary>Answers whole requests for gateways that have no key: those with a nonce, for several certificates, or for what was never issued. Any silo that signs will do.</summary>
internal interface IRequestSignerGrain : IGrainWithIntegerKey
{
    /// <summary>Answers the DER of an OCSPRequest.</summary>
    Task<ElsewhereReply> AnswerAsync(Immutable<byte[]> request);
}

/// <inheritdoc cref="IRequestSignerGrain"/>
[StatelessWorker]
[Reentrant]
internal sealed class RequestSignerGrain(OcspResponder responder) : Grain, IRequestSignerGrain
{
    /// <inheritdoc/>
    public async Task<ElsewhereReply> AnswerAsync(Immutable<byte[]> request)
    {
        OcspReply reply = await responder.AnswerAsync(request.Value, CancellationToken.None);
        return new ElsewhereReply(reply.Outcome, reply.Response);
    }
}
