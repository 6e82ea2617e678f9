using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// What a scheduler with Presign.All learns when it starts: first the answers that were kept, so that they are not signed anew, then every certificate, of which those are to be signed that no
// answer was found for. Some thousands at a time, between which what is due is signed.
//
// Certificates come in the order of their serial numbers, in which statuses lie in the store and kept answers in their index: what is due together is then read and written side by side. A
// certificate that is issued meanwhile is announced, wherever its serial number lies. Where a row of the statuses is damaged they come from the journal, so that those behind it are signed.
public sealed partial class RefreshScheduler
{
    private const int CertificatesPerTick = 10_000;
    private const int CertificatesPerPage = 1000;
    private const int KeptPerLookup = 1000;

    private readonly KeptResponses? _kept;
    private IAsyncEnumerator<KeptResponse>? _keptAnswers;
    private IAsyncEnumerator<JournalEntry>? _journal;
    private SerialNumber _listedTo;
    private bool _isListDamaged;
    private bool _isKeptRead;
    private bool _areCertificatesRead;

    private async Task ReadKeptAsync(CancellationToken cancellationToken)
    {
        if (_isKeptRead || IsResting)
        {
            return;
        }

        try
        {
            _keptAnswers ??= _kept!.ReadAsync(Issuer.Id, CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
            for (int i = 0; i < CertificatesPerTick && !_isKeptRead; i += KeptPerLookup)
            {
                cancellationToken.ThrowIfCancellationRequested();
                List<KeptResponse> some = [];
                while (some.Count < KeptPerLookup && !_isKeptRead)
                {
                    _isKeptRead = !await _keptAnswers.MoveNextAsync().ConfigureAwait(false);
                    if (!_isKeptRead)
                    {
                        some.Add(_keptAnswers.Current);
                    }
                }

                await TrackAsync(some, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (RevocationStoreException e)
        {
            LogKept(Issuer.Id, e.Message, e);
            _isKeptRead = true; // what was not read is signed
        }

        if (_isKeptRead && _keptAnswers is not null)
        {
            await _keptAnswers.DisposeAsync().ConfigureAwait(false);
            _keptAnswers = null;
        }
    }

    private async Task TrackAsync(List<KeptResponse> some, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        List<KeptResponse> usable = [.. some.Where(kept => kept.IsDefault && kept.NextUpdate > now && Issuer.Credentials.Any(credential => credential.Fingerprint == kept.Credential))];
        if (usable.Count == 0)
        {
            return;
        }

        SerialNumber[] serials = [.. usable.Select(kept => kept.Serial)];
        long[] versions = [.. serials.Select(serial => _cache.VersionOf(Issuer.Id, serial))]; // before the statuses are read
        IReadOnlyList<CertificateStatus?> statuses = await _store!.FindStatusesAsync(Issuer.Id, serials, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < usable.Count; i++)
        {
            KeptResponse kept = usable[i];
            if (statuses[i]?.Position != kept.Position || statuses[i]!.NotAfter < now || _forms.NumberOf(kept.CertId.Span) is not byte form || _schedule.IsTracked(kept.Serial, form))
            {
                continue;
            }

            _schedule.Track(kept.Serial, form, AnswerTimes.Of(Issuer.Policy, kept, statuses[i]!.NotAfter));
            if (_cache.VersionOf(Issuer.Id, kept.Serial) != versions[i])
            {
                _schedule.ChangeStatus(kept.Serial); // an event came between: what is tracked is not what there is to say
            }
        }
    }

    private async Task ReadCertificatesAsync(CancellationToken cancellationToken)
    {
        if (_areCertificatesRead || !_isKeptRead || IsResting)
        {
            return;
        }

        try
        {
            Volatile.Write(ref _areCertificatesRead, _isListDamaged ? await ReadJournalAsync(cancellationToken).ConfigureAwait(false) : await ListAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (RevocationStoreException e)
        {
            LogCertificates(Issuer.Id, e.Message, e);
            await EndJournalAsync().ConfigureAwait(false); // from the beginning: what is tracked already is passed over
            _isListDamaged = !_isListDamaged; // whichever of the two can be read
            Rest();
        }
    }

    private async Task<bool> ListAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        for (int i = 0; i < CertificatesPerTick; i += CertificatesPerPage)
        {
            IReadOnlyList<RecordedCertificate> page = await _store!.ListAsync(Issuer.Id, state: null, _listedTo, CertificatesPerPage, cancellationToken).ConfigureAwait(false);
            foreach (RecordedCertificate certificate in page)
            {
                TrackMissing(certificate.Serial, certificate.Status, now);
                _listedTo = certificate.Serial;
            }

            if (page.Count < CertificatesPerPage)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> ReadJournalAsync(CancellationToken cancellationToken)
    {
        _journal ??= _store!.ReadJournalAsync(Issuer.Id, 0, CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
        DateTimeOffset now = _clock.GetUtcNow();
        for (int i = 0; i < CertificatesPerTick; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!await _journal.MoveNextAsync().ConfigureAwait(false))
            {
                await EndJournalAsync().ConfigureAwait(false);
                return true;
            }

            TrackMissing(_journal.Current.Event.Serial, _journal.Current.Status, now);
        }

        return false;
    }

    private void TrackMissing(SerialNumber serial, CertificateStatus status, DateTimeOffset now)
    {
        if (!(status.NotAfter < now))
        {
            TrackMissing(serial, now);
        }
    }

    private void TrackMissing(SerialNumber serial, DateTimeOffset now)
    {
        foreach (byte form in _presignForms)
        {
            if (!_schedule.IsTracked(serial, form))
            {
                _schedule.Track(serial, form, AnswerTimes.Missing(now));
            }
        }
    }

    private async ValueTask EndJournalAsync()
    {
        if (_journal is not null)
        {
            await _journal.DisposeAsync().ConfigureAwait(false);
            _journal = null;
        }
    }

    [LoggerMessage(24, LogLevel.Warning, "The answers that were kept for issuer {Issuer} cannot be read, and are signed anew: {Reason}")]
    private partial void LogKept(IssuerId issuer, string reason, Exception exception);

    [LoggerMessage(23, LogLevel.Error, "The certificates of issuer {Issuer} cannot be read to be presigned: {Reason}")]
    private partial void LogCertificates(IssuerId issuer, string reason, Exception exception);
}
