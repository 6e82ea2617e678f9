using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// Millions of due times in a few dozen octets each
//
// An answer is a struct in a table of chunks (so growing copies nothing), found by a hash of its serial number, and linked by numbers into one list at a time:
//
//     Track ──→ bucket of its due time ──(due)──→ Cold | Asked | NewlyRevoked ──TryTake──→ in hand ──┬─ Track again: it was signed
//                     └──────────────(ChangeStatus)─────────────→ NewlyRevoked                       ├─ GiveBack: it could not be
//                                                                                                    └─ Untrack: nobody needs it any more
//
// A bucket is a slice of time, so finding what is due is as long as the list of slices, and adding, moving and removing are a few links each. There is no timer here:
// who owns the schedule asks it. A bucket comes due at its beginning, at most one resolution early; never late, for the due time may be the last moment that a rule allows.
//
// The lists of what is due keep the order in which it came due. Whether their heads have become urgent is seen when something is taken.

/// <summary>Which answers of one issuer are kept fresh, and when each is due. Thread-safe.</summary>
public sealed partial class RefreshSchedule
{
    private const int ChunkBits = 14;
    private const int ChunkSize = 1 << ChunkBits;
    private const int None = -1;

    private readonly Lock _lock = new();
    private readonly uint _resolution;
    private readonly List<ScheduledAnswer[]> _chunks = [];
    private readonly SortedDictionary<uint, AnswerList> _buckets = [];
    private readonly SortedDictionary<uint, int> _endsPerMinute = [];
    private readonly AnswerList[] _due = [AnswerList.Empty, AnswerList.Empty, AnswerList.Empty];
    private int[] _hashes = CreateHashes(1024);
    private int _free = None;
    private int _used;
    private int _toResign;
    private long _statusChanges;

    /// <summary>Makes an empty schedule.</summary>
    /// <param name="resolution">How early an answer may come up, at least a second.</param>
    /// <param name="capacity">The most answers that are tracked; 56 octets each when there are many.</param>
    public RefreshSchedule(TimeSpan resolution, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _resolution = Math.Max(1, (uint)resolution.TotalSeconds);
        Capacity = capacity;
    }

    /// <summary>The most answers that are tracked.</summary>
    public int Capacity { get; }

    /// <summary>How many answers are tracked.</summary>
    public int Count { get; private set; }

    /// <summary>How many could not be tracked: beyond the capacity, or of serial numbers longer than RFC 5280 §4.1.2.2 allows. They are signed on demand.</summary>
    public long Refused { get; private set; }

    /// <summary>How many are still to be signed in a re-signing of everything.</summary>
    public int ToResign
    {
        get
        {
            lock (_lock)
            {
                return _toResign;
            }
        }
    }

    /// <summary>How many are due, as far as <see cref="TryTake"/> has looked.</summary>
    public int Backlog
    {
        get
        {
            lock (_lock)
            {
                return _due[0].Count + _due[1].Count + _due[2].Count;
            }
        }
    }

    /// <summary>How often <see cref="ChangeStatus"/> put an answer before all others, or is to when it comes back. Takes no lock: who has several in hand asks before each.</summary>
    public long StatusChanges => Volatile.Read(ref _statusChanges);

    /// <summary>When the first of the last answers ends, to the minute; null when none is signed.</summary>
    public DateTimeOffset? FirstEnd
    {
        get
        {
            lock (_lock)
            {
                foreach ((uint minute, int _) in _endsPerMinute)
                {
                    return DateTimeOffset.FromUnixTimeSeconds(minute * 60L);
                }

                return null;
            }
        }
    }

    /// <summary>Tracks an answer, or moves it to its new due time.</summary>
    /// <param name="serial">The certificate.</param>
    /// <param name="form">The form of the CertID.</param>
    /// <param name="times">Its times.</param>
    /// <param name="idlePeriods">How often in a row it was renewed without having been asked for; null leaves it as it is.</param>
    /// <returns>False when there is no place for it.</returns>
    public bool Track(SerialNumber serial, byte form, AnswerTimes times, int? idlePeriods = null)
    {
        lock (_lock)
        {
            int index = Find(serial.Content, form);
            if (index == None && (index = Add(serial.Content, form)) == None)
            {
                Refused++;
                return false;
            }

            ref ScheduledAnswer answer = ref At(index);
            Unlink(ref answer);
            CountEnd(answer.NextUpdate, -1);
            if (answer.IsToResign)
            {
                answer.IsToResign = false;
                _toResign--;
            }

            answer.Due = Seconds(times.DueAt);
            answer.Latest = Seconds(times.LatestAt);
            answer.NextUpdate = Seconds(times.NextUpdate);
            answer.IdlePeriods = (byte)Math.Min(idlePeriods ?? answer.IdlePeriods, byte.MaxValue);
            CountEnd(answer.NextUpdate, 1);
            if (answer.HasChanged)
            {
                answer.HasChanged = false;
                Link(index, ref answer, ScheduleList.NewlyRevoked);
            }
            else
            {
                LinkToBucket(index, ref answer);
            }

            return true;
        }
    }

    /// <summary>Whether an answer is tracked.</summary>
    public bool IsTracked(SerialNumber serial, byte form)
    {
        lock (_lock)
        {
            return Find(serial.Content, form) != None;
        }
    }

    /// <summary>Lets an answer go.</summary>
    public void Untrack(SerialNumber serial, byte form)
    {
        lock (_lock)
        {
            int index = Find(serial.Content, form);
            if (index != None)
            {
                Remove(index);
            }
        }
    }

    /// <summary>Lets all answers of some certificates go; those that are in somebody's hands are not found when they come back.</summary>
    public void UntrackAll(Func<SerialNumber, bool> isMeant)
    {
        ArgumentNullException.ThrowIfNull(isMeant);
        lock (_lock)
        {
            for (int index = 0; index < _used; index++)
            {
                if (At(index).List != ScheduleList.Free && isMeant(SerialNumber.FromContent(At(index).Serial)))
                {
                    Remove(index);
                }
            }
        }
    }

    /// <summary>Puts every tracked answer for a certificate before all others: its status has changed.</summary>
    /// <returns>How many there are.</returns>
    public int ChangeStatus(SerialNumber serial)
    {
        int found = 0;
        lock (_lock)
        {
            for (int index = _hashes[Slot(serial.Content)]; index != None; index = At(index).NextOfHash)
            {
                ref ScheduledAnswer answer = ref At(index);
                if (!answer.Serial.SequenceEqual(serial.Content))
                {
                    continue;
                }

                found++;
                Volatile.Write(ref _statusChanges, _statusChanges + 1);
                if (answer.List == ScheduleList.InHand)
                {
                    answer.HasChanged = true; // it may be signed from the old status just now
                }
                else if (answer.List != ScheduleList.NewlyRevoked)
                {
                    Unlink(ref answer);
                    Link(index, ref answer, ScheduleList.NewlyRevoked);
                }
            }
        }

        return found;
    }

    /// <summary>Makes every tracked answer due, those that come due first first.</summary>
    /// <returns>How many there are.</returns>
    public int ResignAll()
    {
        lock (_lock)
        {
            for (int index = 0; index < _used; index++)
            {
                ref ScheduledAnswer answer = ref At(index);
                if (answer.List != ScheduleList.Free && !answer.IsToResign)
                {
                    answer.IsToResign = true;
                    _toResign++;
                }
            }

            foreach (uint bucket in _buckets.Keys.ToArray())
            {
                MakeDue(bucket, static (_, _) => false);
            }

            return _toResign;
        }
    }

    /// <summary>Makes one tracked answer due, as one of a re-signing of everything.</summary>
    public void Resign(SerialNumber serial, byte form)
    {
        lock (_lock)
        {
            int index = Find(serial.Content, form);
            if (index == None || At(index).IsToResign)
            {
                return;
            }

            ref ScheduledAnswer answer = ref At(index);
            answer.IsToResign = true;
            _toResign++;
            if (answer.List == ScheduleList.Bucket)
            {
                Unlink(ref answer);
                Link(index, ref answer, answer.IdlePeriods == 0 ? ScheduleList.Asked : ScheduleList.Cold);
            }
        }
    }

    /// <summary>Takes the answer that is to be signed first of those that are due.</summary>
    /// <param name="now">The time.</param>
    /// <param name="wasAsked">Whether a relying party asked for an answer; called when it comes due. Null where that is told by tracking it with 0 idle periods.</param>
    /// <param name="due">The answer. <see cref="Track"/>, <see cref="GiveBack"/> or <see cref="Untrack"/> it.</param>
    public bool TryTake(DateTimeOffset now, Func<SerialNumber, byte, bool>? wasAsked, out DueAnswer due)
    {
        lock (_lock)
        {
            while (FirstBucket() is uint bucket && bucket * (ulong)_resolution <= Seconds(now))
            {
                MakeDue(bucket, wasAsked);
            }

            (int index, RefreshPriority priority) = FindFirst(now);
            if (index == None)
            {
                due = default;
                return false;
            }

            ref ScheduledAnswer answer = ref At(index);
            Unlink(ref answer);
            due = new DueAnswer(SerialNumber.FromContent(answer.Serial), answer.Form, answer.IdlePeriods, priority, answer.IsToResign);
            return true;
        }
    }

    /// <summary>Puts an answer back where it was taken from: it could not be signed.</summary>
    public void GiveBack(DueAnswer due)
    {
        lock (_lock)
        {
            int index = Find(due.Serial.Content, due.Form);
            if (index != None && At(index).List == ScheduleList.InHand)
            {
                ref ScheduledAnswer answer = ref At(index);
                ScheduleList list = answer.HasChanged || due.Priority == RefreshPriority.NewlyRevoked ? ScheduleList.NewlyRevoked
                    : due.Priority == RefreshPriority.Cold ? ScheduleList.Cold
                    : ScheduleList.Asked;
                answer.HasChanged = false;
                Link(index, ref answer, list, atFront: true);
            }
        }
    }

    /// <summary>Lets an answer that was taken come up again later, in its rank: something was wrong with it alone.</summary>
    public void Postpone(DueAnswer due, DateTimeOffset until)
    {
        lock (_lock)
        {
            int index = Find(due.Serial.Content, due.Form);
            if (index != None && At(index).List == ScheduleList.InHand)
            {
                ref ScheduledAnswer answer = ref At(index);
                answer.Due = Seconds(until);
                answer.HasChanged |= due.Priority == RefreshPriority.NewlyRevoked;
                LinkToBucket(index, ref answer);
            }
        }
    }

    private (int Index, RefreshPriority Priority) FindFirst(DateTimeOffset now)
    {
        (int Index, RefreshPriority Priority) first = (None, RefreshPriority.Cold);
        foreach (ScheduleList list in (ReadOnlySpan<ScheduleList>)[ScheduleList.NewlyRevoked, ScheduleList.Asked, ScheduleList.Cold])
        {
            int head = DueList(list).Head;
            if (head == None)
            {
                continue;
            }

            RefreshPriority priority = RefreshRules.PriorityOf(
                list == ScheduleList.NewlyRevoked, list == ScheduleList.Asked, DateTimeOffset.FromUnixTimeSeconds(At(head).Latest), now);
            if (first.Index == None || priority < first.Priority)
            {
                first = (head, priority);
            }
        }

        return first;
    }

    private void MakeDue(uint bucket, Func<SerialNumber, byte, bool>? wasAsked)
    {
        _buckets.Remove(bucket, out AnswerList list);
        for (int index = list.Head; index != None;)
        {
            ref ScheduledAnswer answer = ref At(index);
            int next = answer.Next;
            ScheduleList due = answer.HasChanged ? ScheduleList.NewlyRevoked
                : (wasAsked is null ? answer.IdlePeriods == 0 : wasAsked(SerialNumber.FromContent(answer.Serial), answer.Form)) ? ScheduleList.Asked
                : ScheduleList.Cold;
            answer.HasChanged = false;
            Link(index, ref answer, due);
            index = next;
        }
    }

    private uint? FirstBucket()
    {
        foreach ((uint bucket, AnswerList _) in _buckets)
        {
            return bucket;
        }

        return null;
    }
}
