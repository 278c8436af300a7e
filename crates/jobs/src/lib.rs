//! Celery-wire job queue.
