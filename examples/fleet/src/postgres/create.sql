-- One coordinator at a time: two that make the same table at once would be in each other's way.
BEGIN;
SELECT pg_advisory_xact_lock(7239102);
CREATE TABLE IF NOT EXISTS fleet_jobs (
    id         bigint PRIMARY KEY,
    work       text NOT NULL,
    state      text NOT NULL DEFAULT 'waiting', -- waiting, given back, leased, done or dead
    due        timestamptz NOT NULL DEFAULT now(), -- when a worker may take it: the end of a delay, or of a lease
    worker     text, -- that holds the lease, or held the last one
    attempt    integer NOT NULL DEFAULT 0,
    deliveries integer NOT NULL DEFAULT 0, -- never goes back, so it tells the leases of a job apart
    failed     integer NOT NULL DEFAULT 0,
    unfinished integer NOT NULL DEFAULT 0,
    error      text -- of the last attempt
);
-- What is done is not in the index, so that it does not slow down a take.
CREATE INDEX IF NOT EXISTS fleet_due ON fleet_jobs (due) WHERE state NOT IN ('done', 'dead');
CREATE TABLE IF NOT EXISTS fleet_results (
    job    bigint PRIMARY KEY,
    result text NOT NULL
);
COMMIT;
