-- The load of one round. Arguments: file of requests in rows of equal width, their width, how many of them, 'uniform' or 'zipf', 'GET' or 'POST', 'keep' or 'close', a seed.
-- GET rows are targets, filled up with blanks; POST rows are bodies. The file is mapped: a million rows of a few threads shall not be copied into each.
local ffi = require("ffi")
ffi.cdef[[
   int open(const char *path, int flags, ...);
   void *mmap(void *address, size_t length, int protection, int flags, int file, long offset);
]]
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   width, count, zipf, method = tonumber(args[2]), tonumber(args[3]), args[4] == "zipf", args[5]
   local file = ffi.C.open(args[1], 0)
   assert(file >= 0, "the rows cannot be read")
   local mapped = ffi.C.mmap(nil, width * count, 1, 1, file, 0) -- PROT_READ, MAP_SHARED
   assert(ffi.cast("intptr_t", mapped) ~= -1, "the rows cannot be mapped")
   rows = ffi.cast("const char *", mapped)
   local fields = "Host: ocsp.example\r\n" .. (args[6] == "close" and "Connection: close\r\n" or "")
   if method == "GET" then
      head, tail = "GET ", " HTTP/1.1\r\n" .. fields .. "\r\n"
   else
      head = "POST / HTTP/1.1\r\n" .. fields .. "Content-Type: application/ocsp-request\r\nContent-Length: " .. width .. "\r\n\r\n"
   end
   math.randomseed(tonumber(args[7]) * 31 + number)
   for i = 1, 10 do math.random() end
end

function request()
   -- Zipf with exponent 1: the rank is distributed as count ^ uniform.
   local row = zipf and math.floor(count ^ math.random()) - 1 or math.random(0, count - 1)
   if row >= count then row = count - 1 end
   local text = ffi.string(rows + row * width, width)
   if method == "GET" then
      return head .. string.match(text, "%S+") .. tail
   end
   return head .. text
end

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d,"badStatus":%d,"socketErrors":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
      e.status, e.connect + e.read + e.write + e.timeout))
end
