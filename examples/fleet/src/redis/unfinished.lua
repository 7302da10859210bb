-- As after a failure, but at once, and as if it had not been delivered.
redis.call('XCLAIM', jobs, group, ARGV[5], 0, entry, 'IDLE', ARGV[6], 'RETRYCOUNT', attempt - 1, 'JUSTID')
redis.call('HINCRBY', KEYS[2], 'unfinished', 1)
return 1
