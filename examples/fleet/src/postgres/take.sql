-- Rows that another worker is just taking are skipped, not waited for. Whatever is due may be taken: a new job, one whose
-- delay is over, or one whose lease has ended.
--
-- As an array, not as a join: the planner takes a limit that it does not know for a tenth of the table, and would read the
-- whole table to join so many rows.
UPDATE fleet_jobs
SET state = 'leased', worker = $2, due = now() + $3 * interval '1 second',
    attempt = attempt + 1, deliveries = deliveries + 1
WHERE id = ANY (ARRAY(
    SELECT id FROM fleet_jobs
    WHERE state NOT IN ('done', 'dead') AND due <= now()
    ORDER BY due
    LIMIT $1
    FOR UPDATE SKIP LOCKED
))
RETURNING id, work, attempt, deliveries
