local fields = redis.call('XRANGE', jobs, entry, entry)[1][2]
fields[#fields + 1] = 'attempts'
fields[#fields + 1] = attempt
fields[#fields + 1] = 'error'
fields[#fields + 1] = ARGV[5]
redis.call('XADD', KEYS[3], '*', unpack(fields))
redis.call('XACK', jobs, group, entry)
redis.call('XDEL', jobs, entry)
redis.call('HINCRBY', KEYS[2], 'failed', 1)
return 1
