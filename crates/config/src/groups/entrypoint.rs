//! What the image's start script reads; here an empty value means unset.

use super::reasons::ONE_PROCESS;
use crate::kind::{MaybeInt, MaybeText, Natural, Positive, Text, TrueWord};

settings! {
    /// What the image's start script reads; here an empty value means unset.
    shell Entrypoint {
        celery_auto_scale: TrueWord = false, "\"true\" = autoscale MAX,MIN";
        celery_max_workers: MaybeInt = None, "Autoscale max";
        celery_min_workers: Natural = 1, "Autoscale min", ignored ONE_PROCESS;
        celery_prefetch_multiplier: Natural = 1, "Prefetch", ignored ONE_PROCESS;
        celery_queues: MaybeText = None, "Queues consumed by the worker";
        celery_worker_amount: Natural = 1, "Worker concurrency";
        celery_worker_class: Text = "gevent", "Worker pool", ignored ONE_PROCESS;
        celery_worker_concurrency: MaybeInt = None, "Overrides concurrency / autoscale";
        celery_worker_pool: MaybeText = None, "Overrides CELERY_WORKER_CLASS", ignored ONE_PROCESS;
        celery_worker_queues: MaybeText = None, "Overrides CELERY_QUEUES";
        dify_bind_address: Text = "0.0.0.0", "API listen address";
        dify_port: Positive = 5001, "API listen port";
        gunicorn_timeout: Natural = 200, "API worker timeout s (compose 360)", ignored ONE_PROCESS;
        lang: Text = "C.UTF-8", "Locale", ignored ONE_PROCESS;
        lc_all: Text = "C.UTF-8", "Locale", ignored ONE_PROCESS;
        max_tasks_per_child: Natural = 50, "Worker recycle", ignored ONE_PROCESS;
        migration_enabled: TrueWord = false, "\"true\" migrates the database first";
        mode: MaybeText = None, "worker | beat | job | migration | anything else = API server";
        pythonioencoding: Text = "utf-8", "Interpreter encoding", ignored ONE_PROCESS;
        server_worker_amount: Natural = 1, "API worker processes", ignored ONE_PROCESS;
        server_worker_class: Text = "gevent", "API worker class", ignored ONE_PROCESS;
        server_worker_connections: Natural = 10, "Connections per API worker", ignored ONE_PROCESS;
    }
}
