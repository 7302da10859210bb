-- A claim by the same consumer sets the idle time to zero. JUSTID: the delivery does not count again.
redis.call('XCLAIM', jobs, group, consumer, 0, entry, 'JUSTID')
return 1
