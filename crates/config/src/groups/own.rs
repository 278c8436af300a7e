//! Settings the reference does not have. All optional: without any of them the server behaves as the
//! reference does.

use crate::kind::{DisconnectedRun, Flag, MaybeInt, MaybeText, Natural, Positive, Text};

settings! {
    /// Settings the reference does not have.
    anywhere Own {
        // Where things are
        database_url: MaybeText = None, "PostgreSQL DSN; wins over DB_*. With neither this nor any DB_* set, a private PostgreSQL is run in DIFY_DATA_DIR";
        database_replica_url: MaybeText = None, "PostgreSQL DSN of a read replica for lists and statistics; unset = everything on the primary";
        redis_url: MaybeText = None, "Redis URL; wins over REDIS_*. With neither this nor any REDIS_* set, cache and queue live in the process (one node only)";
        dify_data_dir: Text = "./.dify", "Directory of the private PostgreSQL, of generated secrets and, without STORAGE_TYPE settings, of files";

        // Database
        db_max_connections: MaybeInt = None, "Pool cap of one process; unset = SQLALCHEMY_POOL_SIZE + SQLALCHEMY_MAX_OVERFLOW";
        db_statement_timeout_ms: Natural = 30_000, "Statement timeout of requests, ms; 0 = none. Migrations and clean-up have none";
        db_transaction_pooler: Flag = false, "The database is reached through PgBouncer in transaction mode, which must know prepared statements (1.21 or later, max_prepared_statements above 0)";
        db_replica_max_lag_ms: Natural = 5_000, "Replica lag above which reads go to the primary, ms";

        // Runs and conversations
        disconnected_run_policy: DisconnectedRun = "finish", "What happens to a run when its client goes away: finish (as the reference does) or cancel";
        conversation_store_enabled: Flag = true, "Write each message to conversation_messages as well, for queries over its metadata";
        conversation_store_retention_days: Natural = 0, "Days rows of conversation_messages are kept; 0 = for ever";
        run_lease_seconds: Positive = 60, "Seconds after which a run whose process vanished is ended as failed";
        run_record_patience_seconds: Natural = 30, "Seconds the end of a run waits for a database that is away before its client is told that it failed";
        model_first_byte_timeout_seconds: Positive = 600, "Seconds a model may take until its answer begins; answers that are not streamed take all their time here";
        model_idle_timeout_seconds: Positive = 300, "Seconds a model may be silent within an answer";

        // Network
        ssrf_deny_private: Flag = false, "Refuse loopback, private and link-local addresses in URLs that users write, when no SSRF proxy is set";

        // Process
        shutdown_grace_seconds: Natural = 30, "Seconds open requests and runs may still take after SIGTERM";
        max_request_body_mb: Positive = 200, "Largest request body, MB; uploads have limits of their own below it";
        worker_embedded: Flag = false, "The API process also consumes the queue and runs the beat schedule; always so when no Redis is configured";

        // Observability
        rust_log: MaybeText = None, "Log filter by module, e.g. info,dify_graph=debug; wins over LOG_LEVEL";
        slow_request_threshold_ms: Natural = 1_000, "Requests slower than this are logged with their trace id, ms; 0 = never";
        metrics_enabled: Flag = true, "Serve Prometheus metrics at /metrics";
    }
}
