using System.CommandLine;

namespace OcspCluster.Cli;

/// <summary>The verb <c>audit</c>.</summary>
internal sealed class AuditCommand : Command
{
    public AuditCommand(Screen screen, TimeProvider clock)
        : base("audit", "Prove that a journal is what was signed for")
    {
        Add(new AuditVerifyCommand(screen, clock));
    }
}
