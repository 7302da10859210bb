-- Adds the jobs that have not been submitted before. Returns their number.
local new = 0
for i = 1, #ARGV, 2 do
    if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then
        redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'work', ARGV[i + 1])
        new = new + 1
    end
end
return new
