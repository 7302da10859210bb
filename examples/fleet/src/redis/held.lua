-- The head of all scripts that end or extend a lease: resolves to 0 unless the lease is still that of this delivery.
-- The consumer and the count of deliveries tell this delivery from any later one.
local jobs, group, consumer, entry, attempt = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local pending = redis.call('XPENDING', jobs, group, entry, entry, 1)[1]
if not pending or pending[2] ~= consumer or pending[4] ~= attempt then
    return 0
end
