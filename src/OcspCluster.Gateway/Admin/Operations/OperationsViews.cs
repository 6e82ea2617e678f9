using System.ComponentModel;
using System.Security.Cryptography;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

// As in Views.cs: names with a small first letter, times RFC 3339 in UTC, durations [d.]hh:mm:ss.

/// <summary>At which pace everything is signed anew.</summary>
internal sealed record ResignBody([property: Description("1 to 1,000,000; the policy's RefreshSignaturesPerSecond where absent.")] int? SignaturesPerSecond);

/// <summary>How far a re-signing of everything is.</summary>
internal sealed record ResignView(
    [property: Description("none, running or complete.")] string State,
    int Total,
    int Done,
    DateTimeOffset? StartedAt,
    [property: Description("How long the rest takes at the rate so far; null before anything is done.")] TimeSpan? Remaining,
    [property: Description("When it will be complete at that rate.")] DateTimeOffset? ExpectedAt)
{
    public static ResignView Of(ResignProgress? resigning, DateTimeOffset now) => resigning is { } progress
        ? new(progress.IsComplete ? "complete" : "running", progress.Total, progress.Done, progress.StartedAt, progress.Remaining, progress.IsComplete ? null : now + progress.Remaining)
        : new("none", 0, 0, null, null, null);
}

/// <summary>How fresh the answers are kept.</summary>
internal sealed record RefreshView(
    string Presign,
    IReadOnlyList<string> PresignHashes,
    [property: Description("The pace now: the policy's, or that of a re-signing.")] int SignaturesPerSecond,
    [property: Description("Answers that are kept fresh.")] int Tracked,
    [property: Description("Of them, how many are due and not yet signed.")] int Backlog,
    [property: Description("Answers that found no place in the schedule and are signed on demand.")] long Untracked,
    [property: Description("Until the first of the last answers ends; negative when it has, null when there is none.")] TimeSpan? TimeToFirstExpiry,
    [property: Description("Whether it rests because nobody could sign.")] bool IsResting,
    [property: Description("Whether all certificates are known that it has to presign.")] bool IsComplete,
    [property: Description("Answers signed in the background since the start.")] long Signatures)
{
    public static RefreshView Of(IssuerPolicy policy, RefreshReport report) => new(
        policy.Presign.ToString(),
        [.. policy.PresignHashes.Select(hash => hash.Name)],
        report.SignaturesPerSecond,
        report.Tracked,
        report.Backlog,
        report.Untracked,
        report.TimeToFirstExpiry,
        report.IsResting,
        report.IsComplete,
        report.Signatures);
}

/// <summary>Who signs for an issuer, and what became of their files.</summary>
internal sealed record CredentialsView(
    IReadOnlyList<CredentialStateView> Credentials,
    [property: Description("What is wrong with the files as they are now; those above sign on.")] IReadOnlyList<string> FileErrors,
    IReadOnlyList<string> Warnings,
    [property: Description("How often files that were replaced have been taken since the start.")] int Replacements);

/// <summary>Who signs, and how their signer is doing.</summary>
internal sealed record CredentialStateView(
    string Subject,
    string Sha256,
    bool IsDelegated,
    string SignatureAlgorithm,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter,
    [property: Description("inUse, next (takes over before inUse ends), ready, notYetValid or retired (it has ended).")] string Role,
    bool IsRemote,
    [property: Description("Signatures at once, at most.")] int Concurrency,
    int Running,
    [property: Description("The length of its queue.")] int Waiting,
    bool IsFailing,
    string? LastError,
    DateTimeOffset? LastErrorAt)
{
    public static CredentialStateView Of(Issuer issuer, SigningCredential credential, string role, ResponseFactory factory)
    {
        SignerState state = factory.StateOf(credential);
        SignerFailure? failure = factory.LastFailureOf(credential);
        return new CredentialStateView(
            credential.Certificate.Subject,
            credential.Certificate.GetCertHashString(HashAlgorithmName.SHA256),
            !issuer.IsOwnKey(credential),
            credential.Signer.Algorithm.Oid,
            credential.NotBefore,
            credential.NotAfter,
            role,
            credential.Signer.IsRemote,
            credential.Concurrency,
            state.Running,
            state.Waiting,
            state.IsFailing,
            failure?.Reason,
            failure?.At);
    }
}

/// <summary>The parts that credentials play.</summary>
internal static class CredentialRoles
{
    public static string Find(Issuer issuer, SigningCredential credential, ResponseFactory factory, DateTimeOffset now)
    {
        if (now > credential.NotAfter)
        {
            return "retired";
        }

        bool isNext = false;
        foreach (NamedIssuer named in issuer.Certificates.Select(certificate => new NamedIssuer(issuer, certificate)))
        {
            SigningCredential? first = factory.FindDefault(named);
            if (ReferenceEquals(first, credential))
            {
                return "inUse";
            }

            isNext |= first is not null && ReferenceEquals(ResponseFactory.FindNext(named, first), credential);
        }

        return isNext ? "next" : now < credential.NotBefore ? "notYetValid" : "ready";
    }
}

/// <summary>Whether the clock is signed by.</summary>
internal sealed record ClockView(
    DateTimeOffset Now,
    [property: Description("sound, jumpedBack, behindJournal or farAfterJournal; nothing is signed unless it is sound.")] string State,
    [property: Description("What is wrong, in words; null when nothing is.")] string? Problem,
    [property: Description("How far it may go back.")] TimeSpan Back,
    [property: Description("How long after the last event it may be.")] TimeSpan Silence)
{
    public static ClockView Of(ClockGuard guard, DateTimeOffset now) => new(now, NameOf(guard.State), guard.Problem, guard.Tolerances.Back, guard.Tolerances.Silence);

    private static string NameOf(ClockState state) => state switch
    {
        ClockState.Sound => "sound",
        ClockState.JumpedBack => "jumpedBack",
        ClockState.BehindJournal => "behindJournal",
        ClockState.FarAfterJournal => "farAfterJournal",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };
}
