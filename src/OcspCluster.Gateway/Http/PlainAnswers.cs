using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Text;

namespace OcspCluster.Gateway;

/// <summary>Finds the answers to plain HTTP requests and writes them. Thread-safe.</summary>
internal sealed class PlainAnswers
{
    /// <summary>The longest request that is decoded on the stack; plain ones have some hundred octets.</summary>
    private const int MaxRequestBytes = 512;

    private static readonly SearchValues<byte> s_skippedByBase64 = SearchValues.Create(" \t\r\n"u8);

    private readonly OcspResponder _responder;
    private readonly OcspHttpHandler _handler;
    private readonly RequestTally _tally;
    private readonly TimeProvider _clock;
    private readonly ResponseHead _head = new();
    private readonly int _maxTargetBytes;
    private readonly int _maxRequestBytes;
    private readonly byte[][] _prefixes; // each with the slash behind it, longest first

    /// <summary>Answers as the handler does.</summary>
    public PlainAnswers(OcspResponder responder, OcspHttpHandler handler, OcspGatewayOptions options, TimeProvider clock)
    {
        _responder = responder;
        _handler = handler;
        _tally = handler.Tally;
        _clock = clock;
        _maxTargetBytes = options.MaxTargetBytes;
        _maxRequestBytes = Math.Min(options.MaxRequestBytes, MaxRequestBytes);
        _prefixes = [.. options.EffectivePathPrefixes.Select(prefix => Encoding.ASCII.GetBytes(prefix + "/"))];
    }

    /// <summary>Answers a request from the cache, or tells what to ask the responder.</summary>
    /// <param name="head">The request.</param>
    /// <param name="output">Where the answer is written to; it is not flushed.</param>
    /// <param name="closes">Whether the connection ends with the answer, whatever the client wants.</param>
    /// <param name="missed">The DER of a request that is not answered yet; null when it is.</param>
    /// <returns>False when it is not for us.</returns>
    public bool TryAnswer(in RequestHead head, IBufferWriter<byte> output, bool closes, out byte[]? missed)
    {
        missed = null;
        Span<byte> decoded = stackalloc byte[MaxRequestBytes];
        scoped ReadOnlySpan<byte> request;
        if (head.IsPost)
        {
            request = head.Body;
            if (!IsEndpoint(head.Target) || request.Length > _maxRequestBytes)
            {
                return false;
            }
        }
        else if (head.Target.Length <= _maxTargetBytes && TryDecode(head.Target, decoded, out int length))
        {
            request = decoded[..length];
        }
        else
        {
            return false;
        }

        long startedAt = _clock.GetTimestamp();
        DateTimeOffset now = _clock.GetUtcNow();
        if (!_responder.TryFindHit(request, now, out CacheRecord hit))
        {
            missed = request.ToArray();
            return true;
        }

        Span<byte> destination = output.GetSpan(ResponseHead.MaxBytes + hit.Length);
        int written = _head.Write(destination, hit, now, closes || head.Closes);
        hit.CopyTo(destination[written..]);
        output.Advance(written + hit.Length);
        using (GatewayActivities.StartRequest(now))
        {
            _tally.CountHit(hit.Says, startedAt);
        }

        return true;
    }

    /// <summary>Asks the responder, and counts the answer.</summary>
    public async ValueTask<OcspReply> AnswerAsync(byte[] request, CancellationToken cancellationToken)
    {
        using Activity? activity = GatewayActivities.StartRequest();
        long startedAt = _clock.GetTimestamp();
        OcspReply reply = await _responder.AnswerAsync(request, cancellationToken).ConfigureAwait(false);
        _tally.Count(reply, startedAt);
        return reply;
    }

    /// <summary>Writes an answer; it is not flushed.</summary>
    public void Write(IBufferWriter<byte> output, in OcspReply reply, bool closes)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        Span<byte> destination = output.GetSpan(ResponseHead.MaxBytes + reply.Body.Length);
        int written = _head.Write(destination, reply, _handler.CacheControlOf(reply, now), now, closes);
        reply.Body.Span.CopyTo(destination[written..]);
        output.Advance(written + reply.Body.Length);
    }

    // The prefix itself, with or without a slash behind it.
    private bool IsEndpoint(ReadOnlySpan<byte> target)
    {
        foreach (byte[] prefix in _prefixes)
        {
            if (target.SequenceEqual(prefix) || (prefix.Length > 1 && target.SequenceEqual(prefix.AsSpan(0, prefix.Length - 1))))
            {
                return true;
            }
        }

        return false;
    }

    // The usual spellings: base64 with '+', '/' and '=' escaped or not. All others, and what could be read in two ways, GetTarget knows.
    private bool TryDecode(ReadOnlySpan<byte> target, Span<byte> request, out int length)
    {
        length = 0;
        Span<byte> base64 = stackalloc byte[MaxRequestBytes / 3 * 4];
        foreach (byte[] prefix in _prefixes)
        {
            if (!target.StartsWith(prefix))
            {
                continue;
            }

            return TryUnescape(target[prefix.Length..], base64, out int count)
                && Base64.DecodeFromUtf8(base64[..count], request, out _, out length) == OperationStatus.Done
                && PlainRequest.LengthOf(request[..length]) == length;
        }

        return false;
    }

    private static bool TryUnescape(ReadOnlySpan<byte> escaped, Span<byte> base64, out int count)
    {
        count = 0;
        while (true)
        {
            int percent = escaped.IndexOf((byte)'%');
            ReadOnlySpan<byte> plain = percent < 0 ? escaped : escaped[..percent];
            if (!plain.TryCopyTo(base64[count..]) || plain.ContainsAny(s_skippedByBase64))
            {
                return false;
            }

            count += plain.Length;
            if (percent < 0)
            {
                return count > 0;
            }

            if (escaped.Length < percent + 3 || count == base64.Length)
            {
                return false;
            }

            int value = (escaped[percent + 1], escaped[percent + 2] | 0x20) switch
            {
                ((byte)'2', 'b') => '+',
                ((byte)'2', 'f') => '/',
                ((byte)'3', 'd') => '=',
                _ => 0,
            };
            if (value == 0)
            {
                return false;
            }

            base64[count++] = (byte)value;
            escaped = escaped[(percent + 3)..];
        }
    }
}
