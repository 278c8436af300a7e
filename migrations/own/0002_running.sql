-- What runs where, so that a run whose process died does not stay "running": a row a run, in the transaction that starts
-- it, gone in the transaction that ends it; a row a process, refreshed while it lives.
CREATE TABLE dify_rs_processes (
    id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE dify_rs_running (
    kind text NOT NULL CHECK (kind IN ('message', 'workflow_run')),
    id uuid NOT NULL,
    process_id uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, id)
);
