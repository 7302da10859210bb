SELECT state, CASE state WHEN 'leased' THEN worker END AS holder, count(*) AS jobs,
       sum(failed)::bigint AS failed, sum(unfinished)::bigint AS unfinished,
       sum(greatest(deliveries - 1, 0))::bigint AS redelivered
FROM fleet_jobs GROUP BY state, holder ORDER BY holder
