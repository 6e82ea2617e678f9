using System.Text;

namespace OcspCluster.Authority;

/// <summary>Who told the authority of an event, and from where. Never a relying party: those ask, and nothing is kept of them.</summary>
public sealed record Submitter
{
    /// <summary>The longest credential name, in UTF-16 code units.</summary>
    public const int MaxCredentialLength = 100;

    /// <summary>The longest address text, in UTF-16 code units.</summary>
    public const int MaxRemoteAddressLength = 64;

    /// <summary>Nothing is known, as of the entries of a store that did not record it yet.</summary>
    public static Submitter Unknown { get; } = new(null, null);

    /// <summary>This process or an operator at its console: an import, a demo.</summary>
    public static Submitter Local { get; } = new(null, "local");

    /// <summary>Takes a credential's name and an address.</summary>
    /// <param name="credential">The name of the API key, or the subject of the client's certificate; null when there is none. Never a secret.</param>
    /// <param name="remoteAddress">The address that the submission came from, as text; <c>local</c> for this machine's own doing; null when it is not known.</param>
    /// <exception cref="ArgumentException">One is empty, longer than its bound, or no well-formed Unicode.</exception>
    public Submitter(string? credential, string? remoteAddress)
    {
        Credential = Bounded(credential, MaxCredentialLength, nameof(credential));
        RemoteAddress = Bounded(remoteAddress, MaxRemoteAddressLength, nameof(remoteAddress));
    }

    /// <summary>The credential's name; null when there is none.</summary>
    public string? Credential { get; }

    /// <summary>From where; null when it is not known.</summary>
    public string? RemoteAddress { get; }

    // What has no UTF-8 would be recorded as something else, and its hash would not match what is read back.
    private static string? Bounded(string? text, int maxLength, string parameter)
    {
        bool isUsable = text is null || (text.Length >= 1 && text.Length <= maxLength && IsWellFormed(text));
        return isUsable ? text : throw new ArgumentException($"1 to {maxLength} characters of well-formed Unicode, or null.", parameter);
    }

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i += char.IsSurrogate(text[i]) ? 2 : 1)
        {
            if (!Rune.TryGetRuneAt(text, i, out _))
            {
                return false;
            }
        }

        return true;
    }
}
