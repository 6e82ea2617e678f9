using System.Text;

namespace OcspCluster.Cli;

/// <summary>Protocols that begin in the clear and are asked to go on in TLS.</summary>
internal enum StartTlsProtocol
{
    /// <summary>RFC 3207, port 25.</summary>
    Smtp,

    /// <summary>RFC 9051 §6.2.1, port 143.</summary>
    Imap,

    /// <summary>RFC 2595 §4, port 110.</summary>
    Pop3,

    /// <summary>RFC 4217 §4, port 21.</summary>
    Ftp,

    /// <summary>RFC 4511 §4.14, port 389.</summary>
    Ldap,

    /// <summary>PostgreSQL's SSLRequest, port 5432.</summary>
    Postgres,
}

/// <summary>
/// Talks a server into TLS. Every octet of the server's is read one by one: what stands behind the last answer belongs to the handshake, and what a stranger might have put there in the clear
/// (CVE-2011-0411 and its like) would break that.
/// </summary>
internal static class StartTls
{
    private const int MaxLineBytes = 4096;
    private const int MaxLines = 100;
    private const int MaxLdapBytes = 4096;

    // LDAPMessage ::= SEQUENCE { messageID 1, extendedReq [APPLICATION 23] { requestName [0] 1.3.6.1.4.1.1466.20037 } }
    private static readonly byte[] s_ldapRequest = [0x30, 0x1D, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, .. "1.3.6.1.4.1.1466.20037"u8];
    private static readonly byte[] s_postgresRequest = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

    /// <summary>The port where a protocol is at home.</summary>
    public static int PortOf(StartTlsProtocol protocol) => protocol switch
    {
        StartTlsProtocol.Smtp => 25,
        StartTlsProtocol.Imap => 143,
        StartTlsProtocol.Pop3 => 110,
        StartTlsProtocol.Ftp => 21,
        StartTlsProtocol.Ldap => 389,
        StartTlsProtocol.Postgres => 5432,
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "Not a protocol."),
    };

    /// <summary>Asks for TLS; the handshake may begin when it returns.</summary>
    /// <exception cref="IOException">The server speaks another protocol, or does not offer TLS.</exception>
    public static Task BeginAsync(Stream stream, StartTlsProtocol protocol, CancellationToken cancellationToken) => protocol switch
    {
        StartTlsProtocol.Smtp => SmtpAsync(stream, cancellationToken),
        StartTlsProtocol.Imap => ImapAsync(stream, cancellationToken),
        StartTlsProtocol.Pop3 => Pop3Async(stream, cancellationToken),
        StartTlsProtocol.Ftp => FtpAsync(stream, cancellationToken),
        StartTlsProtocol.Ldap => LdapAsync(stream, cancellationToken),
        StartTlsProtocol.Postgres => PostgresAsync(stream, cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "Not a protocol."),
    };

    private static async Task SmtpAsync(Stream stream, CancellationToken cancellationToken)
    {
        await ExpectAsync(stream, "220", "SMTP", cancellationToken).ConfigureAwait(false);
        await SendAsync(stream, "EHLO ocspctl.invalid", cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> offers = await ExpectAsync(stream, "250", "SMTP", cancellationToken).ConfigureAwait(false);
        if (!offers.Any(offer => offer.Length > 4 && offer[4..].Trim().Equals("STARTTLS", StringComparison.OrdinalIgnoreCase)))
        {
            throw new IOException("the SMTP server does not offer STARTTLS");
        }

        await SendAsync(stream, "STARTTLS", cancellationToken).ConfigureAwait(false);
        await ExpectAsync(stream, "220", "SMTP", cancellationToken).ConfigureAwait(false);
    }

    private static async Task FtpAsync(Stream stream, CancellationToken cancellationToken)
    {
        await ExpectAsync(stream, "220", "FTP", cancellationToken).ConfigureAwait(false);
        await SendAsync(stream, "AUTH TLS", cancellationToken).ConfigureAwait(false);
        await ExpectAsync(stream, "234", "FTP", cancellationToken).ConfigureAwait(false);
    }

    private static async Task ImapAsync(Stream stream, CancellationToken cancellationToken)
    {
        string greeting = await ReadLineAsync(stream, cancellationToken).ConfigureAwait(false);
        if (!greeting.StartsWith("* OK", StringComparison.OrdinalIgnoreCase))
        {
            throw new IOException($"no IMAP server answers: '{greeting}'");
        }

        await SendAsync(stream, "a1 STARTTLS", cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < MaxLines; i++)
        {
            string line = await ReadLineAsync(stream, cancellationToken).ConfigureAwait(false);
            if (line.StartsWith("a1 ", StringComparison.Ordinal))
            {
                if (!line.StartsWith("a1 OK", StringComparison.OrdinalIgnoreCase))
                {
                    throw new IOException($"the IMAP server refuses STARTTLS: '{line}'");
                }

                return;
            }
        }

        throw new IOException("the IMAP server does not come to an answer");
    }

    private static async Task Pop3Async(Stream stream, CancellationToken cancellationToken)
    {
        foreach (string? command in new[] { null, "STLS" })
        {
            if (command is not null)
            {
                await SendAsync(stream, command, cancellationToken).ConfigureAwait(false);
            }

            string line = await ReadLineAsync(stream, cancellationToken).ConfigureAwait(false);
            if (!line.StartsWith("+OK", StringComparison.OrdinalIgnoreCase))
            {
                throw new IOException(command is null ? $"no POP3 server answers: '{line}'" : $"the POP3 server refuses STLS: '{line}'");
            }
        }
    }

    private static async Task LdapAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(s_ldapRequest, cancellationToken).ConfigureAwait(false);
        byte[] head = new byte[2];
        await stream.ReadExactlyAsync(head, cancellationToken).ConfigureAwait(false);
        byte[] more = new byte[head[1] < 0x80 ? 0 : head[1] & 0x7F];
        if (head[0] != 0x30 || more.Length > 4)
        {
            throw new IOException("no LDAP server answers");
        }

        await stream.ReadExactlyAsync(more, cancellationToken).ConfigureAwait(false);
        int length = more.Length == 0 ? head[1] : more.Aggregate(0, (value, octet) => (value << 8) | octet);
        if (length is < 0 or > MaxLdapBytes)
        {
            throw new IOException("no LDAP server answers");
        }

        byte[] body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);

        // ExtendedResponse ::= [APPLICATION 24] SEQUENCE { resultCode ENUMERATED, ... }; 0 is success.
        int result = body.AsSpan().IndexOf([(byte)0x0A, (byte)0x01]);
        if (body.Length < 4 || body[3] != 0x78 || result < 0 || result + 2 >= body.Length || body[result + 2] != 0)
        {
            throw new IOException("the LDAP server refuses StartTLS" + (result >= 0 && result + 2 < body.Length ? $" with result {body[result + 2]}" : ""));
        }
    }

    private static async Task PostgresAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(s_postgresRequest, cancellationToken).ConfigureAwait(false);
        byte[] answer = new byte[1];
        await stream.ReadExactlyAsync(answer, cancellationToken).ConfigureAwait(false);
        if (answer[0] != 'S')
        {
            throw new IOException(answer[0] == 'N' ? "the PostgreSQL server does not offer TLS" : "no PostgreSQL server answers");
        }
    }

    // A reply of SMTP or FTP: a code, '-' while it goes on, and a blank in its last line.
    private static async Task<IReadOnlyList<string>> ExpectAsync(Stream stream, string code, string name, CancellationToken cancellationToken)
    {
        List<string> lines = [];
        while (lines.Count < MaxLines)
        {
            string line = await ReadLineAsync(stream, cancellationToken).ConfigureAwait(false);
            lines.Add(line);
            bool isLast = line.Length < 4 || line[3] != '-';
            if (isLast)
            {
                return line.StartsWith(code, StringComparison.Ordinal) ? lines : throw new IOException($"the {name} server answers '{line}' where {code} was due");
            }
        }

        throw new IOException($"the {name} server does not come to an end");
    }

    private static Task SendAsync(Stream stream, string line, CancellationToken cancellationToken) => stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), cancellationToken).AsTask();

    private static async Task<string> ReadLineAsync(Stream stream, CancellationToken cancellationToken)
    {
        List<byte> line = [];
        byte[] octet = new byte[1];
        while (line.Count <= MaxLineBytes)
        {
            if (await stream.ReadAsync(octet, cancellationToken).ConfigureAwait(false) == 0)
            {
                throw new IOException("the server closed the connection before TLS");
            }

            if (octet[0] == '\n')
            {
                return Encoding.Latin1.GetString([.. line]).TrimEnd('\r');
            }

            line.Add(octet[0]);
        }

        throw new IOException("the server sends a line without an end");
    }
}
