using OcspCluster.Client;

namespace OcspCluster.Cli;

/// <summary>What the process ends with; part of the users' interface (docs/CLI.md).</summary>
internal static class ExitCode
{
    /// <summary>Good, or there was nothing to judge and it was done.</summary>
    public const int Good = 0;

    /// <summary>Revoked, or on hold.</summary>
    public const int Revoked = 1;

    /// <summary>The responder does not know the certificate.</summary>
    public const int Unknown = 2;

    /// <summary>It could not be told: nobody answered, an answer broke a rule, a file could not be read.</summary>
    public const int CouldNotTell = 3;

    /// <summary>An operator's command was not done, or not for all: events refused, lines not taken, critical findings, a journal that is not sound.</summary>
    public const int NotDone = 4;

    /// <summary>The command line is not one (EX_USAGE): a script must not take a misspelt option for a status.</summary>
    public const int Usage = 64;

    /// <summary>The code of a status.</summary>
    public static int Of(RevocationStatus status) => status switch
    {
        RevocationStatus.Good => Good,
        RevocationStatus.Revoked => Revoked,
        RevocationStatus.Unknown => Unknown,
        _ => CouldNotTell,
    };

    /// <summary>The code of several: revoked before could not tell, before unknown, before good.</summary>
    public static int OfAll(IEnumerable<int> codes) => codes.DefaultIfEmpty(CouldNotTell).MaxBy(code => code switch
    {
        Revoked => 3,
        CouldNotTell => 2,
        Unknown => 1,
        _ => 0,
    });
}
