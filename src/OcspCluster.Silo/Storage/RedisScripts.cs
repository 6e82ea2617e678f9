namespace OcspCluster.Silo.Storage;

// Sorted trees of two levels
// ==========================
//
// A tree maps octet strings to octet strings and gives them in their order. It is a sorted set {tag}:s of low bounds, all of
// score 0, so that Redis orders them as octets, and for each low bound a hash {tag}:s:{low bound}, the leaf: its keys are not
// below its low bound, and below the next one. The first low bound is the empty string. A leaf never has more than 128 fields,
// which Redis keeps as one listpack (hash-max-listpack-entries is 128 by default): some 2 octets beside key and value, where
// an own key would cost 80. A leaf of 127 is split at once, at about its median; but when its greatest key was just
// added and no leaf follows, the next leaf begins right behind that key and nothing is moved: serial numbers that rise fill
// their leaves completely.
//
//   s   serial number → status           e   half the SHA-256 of an event id → journal position
//   r   revoked serial numbers           h   held serial numbers
//
// Strings are never compared with Lua's <, which follows the locale.

/// <summary>What runs within Redis. Each script is one atomic step; it touches keys of one hash tag only.</summary>
internal static class RedisScripts
{
    private const string Find = """
        local tag = ARGV[1]
        local function find(tree, key)
          return redis.call('ZREVRANGEBYLEX', tag .. tree, '[' .. key, '-', 'LIMIT', 0, 1)[1]
        end
        local function get(tree, key)
          local low = find(tree, key)
          return low and redis.call('HGET', tag .. tree .. ':' .. low, key)
        end
        local function position_of(status)
          local a, b, c, d, e = string.byte(status, 2, 6)
          return e and (((a * 256 + b) * 256 + c) * 256 + d) * 256 + e
        end

        """;

    /// <summary>Replaces a receiver's cursor if it is the one that the caller takes for it: 1, or 0 and it is as it was.</summary>
    /// <remarks>KEYS: the cursors of the issuer. ARGV: receiver, the cursor that is replaced (empty for none), the new one.</remarks>
    public const string MoveCursor = """
        if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return 1
        """;

    /// <summary>
    /// Appends a batch. All that can be refused is refused before the first write: Redis does not roll back. Its answer is
    /// {outcome, position}: 1 appended, 0 another position, -1 an event id that the journal has, -2 another head than the
    /// caller's, -3 another layout.
    /// </summary>
    /// <remarks>
    /// KEYS: head, journal, a key that is never there. ARGV: tag, layout, expected position, expected head's digest, new head's
    /// digest, entries, tree nodes; for each node: level, octets of the level before, digest; for each entry: event key,
    /// serial, status, entry.
    /// </remarks>
    public const string Append = Find + """
        local head = redis.call('HMGET', KEYS[1], 'position', 'hash', 'good', 'revoked', 'held', 'layout')
        local position = tonumber(head[1] or '0')
        if position ~= tonumber(ARGV[3]) then return {0, position} end
        if position > 0 and head[6] ~= ARGV[2] then return {-3, position} end
        if (head[2] or '') ~= ARGV[4] then return {-2, position} end

        -- While a Cluster moves this slot, a key that is not here may be elsewhere, and the call fails: better now than between two writes.
        redis.call('EXISTS', KEYS[3])

        local count, nodes = tonumber(ARGV[6]), tonumber(ARGV[7])
        local at = 8
        for i = 1, nodes do
          if redis.call('STRLEN', tag .. 'tree:' .. ARGV[at]) ~= tonumber(ARGV[at + 1]) then return {-2, position} end
          at = at + 3
        end
        local events, seen = {}, {}
        for i = 1, count do
          local event = ARGV[at + 4 * (i - 1)]
          local low = find('e', event)
          if seen[event] or (low and redis.call('HEXISTS', tag .. 'e:' .. low, event) == 1) then return {-1, position} end
          seen[event] = true
          events[i] = low
        end

        local function less(a, b)
          local shorter = math.min(#a, #b)
          for i = 1, shorter do
            local x, y = string.byte(a, i), string.byte(b, i)
            if x ~= y then return x < y end
          end
          return #a < #b
        end
        local splits = {s = 0, e = 0, r = 0, h = 0}
        local function split(tree, low, leaf, key)
          splits[tree] = splits[tree] + 1
          local all = redis.call('HGETALL', leaf)
          if not redis.call('ZRANGEBYLEX', tag .. tree, '(' .. low, '+', 'LIMIT', 0, 1)[1] then
            local greatest = true
            for i = 1, #all, 2 do
              if less(key, all[i]) then greatest = false break end
            end
            if greatest then
              redis.call('ZADD', tag .. tree, 0, key .. '\0')
              return
            end
          end
          local sample = {}
          for i = 1, #all, 8 do sample[#sample + 1] = all[i] end
          table.sort(sample, less)
          local pivot = sample[math.floor(#sample / 2) + 1]
          local moved, gone = {}, {}
          for i = 1, #all, 2 do
            if not less(all[i], pivot) then
              moved[#moved + 1] = all[i]
              moved[#moved + 1] = all[i + 1]
              gone[#gone + 1] = all[i]
            end
          end
          redis.call('HSET', tag .. tree .. ':' .. pivot, unpack(moved))
          redis.call('HDEL', leaf, unpack(gone))
          redis.call('ZADD', tag .. tree, 0, pivot)
        end
        local function put(tree, key, value, low)
          low = low or find(tree, key)
          if not low then
            low = ''
            redis.call('ZADD', tag .. tree, 0, low)
          end
          local leaf = tag .. tree .. ':' .. low
          if redis.call('HSET', leaf, key, value) == 1 and redis.call('HLEN', leaf) >= 127 then split(tree, low, leaf, key) end
        end
        local function remove(tree, key)
          local low = find(tree, key)
          if low then redis.call('HDEL', tag .. tree .. ':' .. low, key) end
        end

        local counts = {[0] = tonumber(head[3] or '0'), tonumber(head[4] or '0'), tonumber(head[5] or '0')}
        local index = {'r', 'h'}
        for i = 1, count do
          local event, serial, status, entry = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
          at = at + 4
          position = position + 1
          local low = find('s', serial)
          local old = low and redis.call('HGET', tag .. 's:' .. low, serial)
          if old and #old < 6 then old = nil end -- damaged: the audit says so, and an error here would leave half a batch
          local state, before = string.byte(status) % 4, nil
          local id = string.format('%d-0', position)
          if old then
            before = string.byte(old) % 4
            redis.call('XADD', KEYS[2], id, 'e', entry, 'p', position_of(old))
            counts[before] = counts[before] - 1
          else
            redis.call('XADD', KEYS[2], id, 'e', entry)
          end
          counts[state] = counts[state] + 1
          put('s', serial, status, low)
          put('e', event, position, splits.e == 0 and events[i])
          if before ~= state then
            if before and before > 0 then remove(index[before], serial) end
            if state > 0 then put(index[state], serial, '') end
          end
        end
        at = 8
        for i = 1, nodes do
          redis.call('APPEND', tag .. 'tree:' .. ARGV[at], ARGV[at + 2])
          at = at + 3
        end
        redis.call('HSET', KEYS[1], 'position', position, 'hash', ARGV[5], 'good', counts[0], 'revoked', counts[1], 'held', counts[2], 'layout', ARGV[2])
        return {1, position}
        """;

    /// <summary>The values of keys of a tree. KEYS: the tree. ARGV: tag, tree, keys. Answer: a value or nil for each.</summary>
    public const string FindValues = Find + """
        local values = {}
        for i = 3, #ARGV do values[i - 2] = get(ARGV[2], ARGV[i]) or false end
        return values
        """;

    /// <summary>The entries of event ids. KEYS: head. ARGV: tag, event keys. Answer: for each, the position or nil, and the entry.</summary>
    public const string FindEvents = Find + """
        local found = {}
        for i = 2, #ARGV do
          local position = get('e', ARGV[i])
          found[2 * i - 3] = position or false
          local entries = position and redis.call('XRANGE', tag .. 'journal', position .. '-0', position .. '-0')
          found[2 * i - 2] = entries and entries[1] and entries[1][2][2] or false
        end
        return found
        """;

    /// <summary>Whole leaves of a tree, with the status of each key. KEYS: the tree. ARGV: tag, tree, a key, the most leaves. Answer: the low bound after them or nil; key, status, and so on.</summary>
    public const string ReadLeaves = Find + """
        local tree, most = ARGV[2], tonumber(ARGV[4])
        local first = find(tree, ARGV[3]) or ''
        local lows = redis.call('ZRANGEBYLEX', tag .. tree, '[' .. first, '+', 'LIMIT', 0, most + 1)
        local found = {lows[most + 1] or false}
        for i = 1, math.min(#lows, most) do
          local all = redis.call('HGETALL', tag .. tree .. ':' .. lows[i])
          for k = 1, #all, 2 do
            found[#found + 1] = all[k]
            found[#found + 1] = tree == 's' and all[k + 1] or get('s', all[k]) or false
          end
        end
        return found
        """;

    /// <summary>
    /// The keys of whole leaves of the statuses with their values, a key and its value in turn, each as a string of MessagePack, all in one string: of a reply of as many strings the reader makes
    /// objects of several times the octets. KEYS: the tree. ARGV: tag, a key, the most leaves, how many octets are enough. Answer: the low bound after them or nil; the octets.
    /// </summary>
    public const string ReadSerials = Find + """
        local most, enough = tonumber(ARGV[3]), tonumber(ARGV[4])
        local lows = redis.call('ZRANGEBYLEX', tag .. 's', '[' .. (find('s', ARGV[2]) or ''), '+', 'LIMIT', 0, most + 1)
        local parts, octets, at = {}, 0, 1
        while lows[at] and at <= most and octets < enough do
          local all = redis.call('HGETALL', tag .. 's:' .. lows[at])
          parts[at] = #all > 0 and cmsgpack.pack(unpack(all)) or ''
          octets = octets + #parts[at]
          at = at + 1
        end
        return {lows[at] or false, table.concat(parts)}
        """;

    /// <summary>
    /// The entries of a certificate, newest first. KEYS: head. ARGV: tag, serial, the position to begin at or 0 for its status's,
    /// the most entries. Answer: the position to go on at or nil; position and entry (nil where it is missing), and so on.
    /// </summary>
    public const string ReadHistory = Find + """
        local at, most = tonumber(ARGV[3]), tonumber(ARGV[4])
        if at == 0 then
          local status = get('s', ARGV[2])
          at = status and position_of(status)
        end
        local found = {false}
        while at and most > 0 do
          local id = string.format('%d-0', at)
          local entry = redis.call('XRANGE', tag .. 'journal', id, id)[1]
          found[#found + 1] = at
          found[#found + 1] = entry and entry[2][2] or false
          local earlier = entry and entry[2][4] and tonumber(entry[2][4])
          at = earlier and earlier < at and earlier or nil
          most = most - 1
        end
        found[1] = at or false
        return found
        """;

    /// <summary>What must agree with an issuer's head. KEYS: head, journal. ARGV: tag. Answer: position, entries, last entry's id, octets of the tree's levels 8, 16, 24, 32.</summary>
    public const string ReadStructure = """
        local tag = ARGV[1]
        local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
        local found = {tonumber(redis.call('HGET', KEYS[1], 'position') or '0'), redis.call('XLEN', KEYS[2]), last and last[1] or '0-0'}
        for level = 8, 32, 8 do found[#found + 1] = redis.call('STRLEN', tag .. 'tree:' .. level) end
        return found
        """;
}
