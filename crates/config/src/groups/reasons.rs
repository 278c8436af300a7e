//! Why a setting of the reference does nothing here. One reason may cover many settings, so that a
//! start-up warning is a line a reason and not a line a variable.

pub(crate) const ASYNC: &str =
    "runs are asynchronous tasks on one runtime; there is no pool of threads to size";
pub(crate) const BROKER_SCHEME: &str =
    "the scheme of CELERY_BROKER_URL (sentinel://) says it already";
pub(crate) const CELERY_ONLY: &str = "an option of the Celery library; the queue keeps no results";
pub(crate) const CLIENT_CACHE: &str = "Redis answers are not cached by the client library";
pub(crate) const NO_GRPC: &str = "the store is spoken to over HTTP only";
pub(crate) const NO_TELEMETRY: &str = "nothing is reported to anybody";
pub(crate) const ONE_PROCESS: &str =
    "one process serves everything; there are no interpreter workers to size";
pub(crate) const PROMETHEUS: &str = "metrics are read from /metrics, not pushed";
pub(crate) const PYTHON_PATH: &str = "names a Python class or hook";
pub(crate) const PYTHON_POOL: &str = "an option of the Python connection pool";
pub(crate) const REMOTE_SOURCE: &str =
    "settings are read from the environment and .env, not from a configuration service";
pub(crate) const SENTRY: &str = "errors go to the log and to OpenTelemetry, not to Sentry";
pub(crate) const SLS: &str = "runs are stored in PostgreSQL, not in an Aliyun log store";
pub(crate) const STORAGE: &str = "this storage backend is not built in";
pub(crate) const UNUSED: &str = "the reference declares it and does not read it either";
pub(crate) const UTC: &str = "the process always works in UTC";
pub(crate) const UTF8: &str = "the connection is always UTF-8";
pub(crate) const VECTOR_STORE: &str = "this vector store is not built in";
/// Nothing reads the setting yet; which those are stands in `unread.txt`.
pub(crate) const NOT_YET: &str = "what it is for is not built yet";
pub(crate) const EVENT_BUS: &str =
    "events stay in the process that runs the app; nodes tell each other over the Redis of REDIS_*";
pub(crate) const REDIS_CLIENT: &str = "the client chooses protocol and time limits itself";
