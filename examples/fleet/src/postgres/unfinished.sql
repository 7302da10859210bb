UPDATE fleet_jobs SET state = 'given back', due = now(), attempt = attempt - 1, unfinished = unfinished + 1
WHERE id = $1 AND worker = $2 AND deliveries = $3 AND state = 'leased'
