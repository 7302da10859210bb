-- Takes what has been idle for as long as a lease: jobs that were given back, and those of workers that died.
-- Returns where to go on next time, and of each job the entry, the count of deliveries and the fields.
local jobs, counters = KEYS[1], KEYS[2]
local group, consumer, lease, cursor, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local taken = {}
-- Each call looks at ten times as many entries as it may take. Go on while they are all in use, but not for ever.
for _ = 1, 20 do
    local reply = redis.call('XAUTOCLAIM', jobs, group, consumer, lease, cursor, 'COUNT', limit - #taken)
    cursor = reply[1]
    for _, entry in ipairs(reply[2]) do
        local pending = redis.call('XPENDING', jobs, group, entry[1], entry[1], 1)[1]
        taken[#taken + 1] = { entry[1], pending[4], entry[2] }
    end
    if #taken == limit or cursor == '0-0' then
        break
    end
end
if #taken > 0 then
    redis.call('HINCRBY', counters, 'redelivered', #taken)
end
return { cursor, taken }
