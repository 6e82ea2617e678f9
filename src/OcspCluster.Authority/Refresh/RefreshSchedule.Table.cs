namespace OcspCluster.Authority;

// The table of answers, the lists that they are linked into and the hashes by which they are found. Everything here is called within the lock.
public sealed partial class RefreshSchedule
{
    private void LinkToBucket(int index, ref ScheduledAnswer answer)
    {
        uint bucket = answer.Due / _resolution;
        AnswerList list = _buckets.GetValueOrDefault(bucket, AnswerList.Empty);
        Append(index, ref answer, ref list, ScheduleList.Bucket, atFront: false);
        _buckets[bucket] = list;
    }

    private void Link(int index, ref ScheduledAnswer answer, ScheduleList list, bool atFront = false) => Append(index, ref answer, ref DueList(list), list, atFront);

    private void Append(int index, ref ScheduledAnswer answer, ref AnswerList list, ScheduleList name, bool atFront)
    {
        answer.List = name;
        answer.Previous = atFront ? None : list.Tail;
        answer.Next = atFront ? list.Head : None;
        if (answer.Previous == None)
        {
            list.Head = index;
        }
        else
        {
            At(answer.Previous).Next = index;
        }

        if (answer.Next == None)
        {
            list.Tail = index;
        }
        else
        {
            At(answer.Next).Previous = index;
        }

        list.Count++;
    }

    private void Unlink(ref ScheduledAnswer answer)
    {
        switch (answer.List)
        {
            case ScheduleList.Bucket:
                uint bucket = answer.Due / _resolution;
                AnswerList list = _buckets[bucket];
                Unlink(ref answer, ref list);
                if (list.Count == 0)
                {
                    _buckets.Remove(bucket);
                }
                else
                {
                    _buckets[bucket] = list;
                }

                break;
            case ScheduleList.NewlyRevoked or ScheduleList.Asked or ScheduleList.Cold:
                Unlink(ref answer, ref DueList(answer.List));
                break;
        }

        answer.List = ScheduleList.InHand;
    }

    private void Unlink(ref ScheduledAnswer answer, ref AnswerList list)
    {
        if (answer.Previous == None)
        {
            list.Head = answer.Next;
        }
        else
        {
            At(answer.Previous).Next = answer.Next;
        }

        if (answer.Next == None)
        {
            list.Tail = answer.Previous;
        }
        else
        {
            At(answer.Next).Previous = answer.Previous;
        }

        list.Count--;
    }

    private int Add(ReadOnlySpan<byte> serial, byte form)
    {
        if (Count >= Capacity || serial.Length is 0 or > ScheduledAnswer.MaxSerialBytes)
        {
            return None;
        }

        if (Count >= _hashes.Length)
        {
            Rehash();
        }

        int index = _free;
        if (index != None)
        {
            _free = At(index).Next;
        }
        else
        {
            index = _used++;
            if (index >> ChunkBits == _chunks.Count)
            {
                _chunks.Add(new ScheduledAnswer[ChunkSize]);
            }
        }

        ref ScheduledAnswer answer = ref At(index);
        answer = new ScheduledAnswer { Form = form, NextUpdate = uint.MaxValue };
        answer.SetSerial(serial);
        ref int slot = ref _hashes[Slot(serial)];
        answer.NextOfHash = slot;
        slot = index;
        Count++;
        return index;
    }

    private void Remove(int index)
    {
        ref ScheduledAnswer answer = ref At(index);
        Unlink(ref answer);
        CountEnd(answer.NextUpdate, -1);
        if (answer.IsToResign)
        {
            _toResign--;
        }

        ref int link = ref _hashes[Slot(answer.Serial)];
        while (link != index)
        {
            link = ref At(link).NextOfHash;
        }

        link = answer.NextOfHash;
        answer = new ScheduledAnswer { List = ScheduleList.Free, Next = _free };
        _free = index;
        Count--;
    }

    private int Find(ReadOnlySpan<byte> serial, byte form)
    {
        int index = _hashes[Slot(serial)];
        while (index != None && (At(index).Form != form || !At(index).Serial.SequenceEqual(serial)))
        {
            index = At(index).NextOfHash;
        }

        return index;
    }

    private void Rehash()
    {
        _hashes = CreateHashes(_hashes.Length * 2);
        for (int index = 0; index < _used; index++)
        {
            ref ScheduledAnswer answer = ref At(index);
            if (answer.List != ScheduleList.Free)
            {
                ref int slot = ref _hashes[Slot(answer.Serial)];
                answer.NextOfHash = slot;
                slot = index;
            }
        }
    }

    private void CountEnd(uint nextUpdate, int by)
    {
        if (nextUpdate == uint.MaxValue)
        {
            return; // never signed
        }

        uint minute = nextUpdate / 60;
        int count = _endsPerMinute.GetValueOrDefault(minute) + by;
        if (count == 0)
        {
            _endsPerMinute.Remove(minute);
        }
        else
        {
            _endsPerMinute[minute] = count;
        }
    }

    private ref AnswerList DueList(ScheduleList list) => ref _due[list - ScheduleList.NewlyRevoked];

    private ref ScheduledAnswer At(int index) => ref _chunks[index >> ChunkBits][index & (ChunkSize - 1)];

    // Seeded by the process: nobody can choose serial numbers that fall into one chain.
    private int Slot(ReadOnlySpan<byte> serial)
    {
        HashCode hash = default;
        hash.AddBytes(serial);
        return hash.ToHashCode() & (_hashes.Length - 1);
    }

    private static int[] CreateHashes(int length)
    {
        int[] hashes = new int[length];
        Array.Fill(hashes, None);
        return hashes;
    }

    private static uint Seconds(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);

    private struct AnswerList
    {
        public int Head;
        public int Tail;
        public int Count;

        public static AnswerList Empty => new() { Head = None, Tail = None };
    }
}
