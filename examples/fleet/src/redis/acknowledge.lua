redis.call('XACK', jobs, group, entry)
redis.call('XDEL', jobs, entry)
redis.call('HINCRBY', KEYS[2], 'done', 1)
return 1
