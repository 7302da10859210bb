-- The entry moves to a consumer that stands for no worker, with an idle time that makes it free after the delay.
redis.call('XCLAIM', jobs, group, ARGV[5], 0, entry, 'IDLE', ARGV[6], 'JUSTID')
redis.call('HINCRBY', KEYS[2], 'failed', 1)
return 1
