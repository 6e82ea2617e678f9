using System.Text;
using OcspCluster.Authority;

namespace OcspCluster.Hosting.Audit;

/// <summary>Small files that are replaced whole: after a crash it is the old text or the new, never half of one.</summary>
internal static class WholeFile
{
    /// <summary>Writes a text beside the file, flushes it, and gives it the file's name.</summary>
    /// <exception cref="RevocationStoreException">It cannot be written.</exception>
    public static void Write(string file, string text, UnixFileMode? mode, bool overwrite)
    {
        string temporary = $"{file}.{Guid.NewGuid():N}.tmp";
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (mode is { } unixMode && !OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = unixMode;
            }

            using (FileStream stream = new(temporary, options))
            {
                stream.Write(Encoding.UTF8.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, file, overwrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new RevocationStoreException($"'{file}' cannot be written: {e.Message} Check the permissions of the data directory and the space on its disk.", e);
        }
    }
}
