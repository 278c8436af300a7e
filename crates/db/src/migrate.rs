//! Brings a database to the schema this server needs, or says why it will not.
//!
//! Dify's tables belong to Dify: they are built in an empty database and otherwise only looked at.
//! Our additions live beside them and are recorded in `dify_rs_migrations`. Everything happens in
//! one transaction under an advisory lock of that transaction, so starters queue up, a failure
//! leaves nothing behind, and one connection is enough, also through a transaction pooler.
//!
//! These statements run on databases that are not migrated yet, so they cannot be checked macros.

use boxed::boxed;
use std::fmt;

use sqlx::PgConnection;

use crate::{Db, DbError};

mod catalogue;

pub use catalogue::{Drift, Object};

const BASELINE: &str = include_str!("../../../migrations/baseline/6b5f9f8b1a2c.sql");
const OLDER_REVISIONS: &str = include_str!("../../../migrations/baseline/older_revisions.txt");
const EXPECTED: &str = include_str!("../../../migrations/catalogue.tsv");

/// Our additions, in order. Only append.
const ADDITIONS: &[Addition] = &[
    Addition {
        version: 1,
        name: "conversation_messages",
        sql: include_str!("../../../migrations/own/0001_conversation_messages.sql"),
    },
    Addition {
        version: 2,
        name: "running",
        sql: include_str!("../../../migrations/own/0002_running.sql"),
    },
    Addition {
        version: 3,
        name: "annotation_vectors",
        sql: include_str!("../../../migrations/own/0003_annotation_vectors.sql"),
    },
    Addition {
        version: 4,
        name: "conversation_messages_age",
        sql: include_str!("../../../migrations/own/0004_conversation_messages_age.sql"),
    },
];

/// Key of the advisory lock: any number nobody else uses, the same in every release.
const LOCK: i64 = 0x6469_6679_2d72_7300;

struct Addition {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// What a database is to this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose tables these are.
    pub dify: DifySchema,
    /// Our additions that are in place, in order.
    pub applied: Vec<String>,
    /// Our additions that [`run`] would make, in order.
    pub pending: Vec<&'static str>,
}

impl Status {
    /// Nothing is left to do.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.dify == DifySchema::Current && self.pending.is_empty()
    }
}

/// What Dify's own migrations left in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifySchema {
    /// No table at all.
    Empty,
    /// The revision this server is made for.
    Current,
    /// An earlier release of Dify; holds its alembic revision.
    Older(String),
    /// A later release of Dify or another application; holds the alembic revisions.
    Unknown(String),
    /// Tables, but no alembic revision; holds the name of one of them.
    Unversioned(String),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.dify {
            DifySchema::Empty => write!(f, "the database is empty")?,
            DifySchema::Current => write!(f, "schema of Dify {}", types::DIFY_VERSION)?,
            DifySchema::Older(revision) => {
                write!(f, "revision {revision} of an earlier Dify release")?;
            }
            DifySchema::Unknown(revision) => write!(f, "unknown revision {revision}")?,
            DifySchema::Unversioned(table) => write!(f, "tables of unknown origin ({table})")?,
        }
        if !self.applied.is_empty() {
            write!(f, "; additions in place: {}", self.applied.join(", "))?;
        }
        if !self.pending.is_empty() {
            write!(f, "; additions missing: {}", self.pending.join(", "))?;
        }
        Ok(())
    }
}

/// What [`run`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Dify's schema was built.
    pub built: bool,
    /// Additions made, in order.
    pub added: Vec<&'static str>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.built && self.added.is_empty() {
            return write!(f, "nothing to do");
        }
        if self.built {
            write!(f, "built the schema of Dify {}", types::DIFY_VERSION)?;
        }
        if !self.added.is_empty() {
            let lead = if self.built { "; added " } else { "added " };
            write!(f, "{lead}{}", self.added.join(", "))?;
        }
        Ok(())
    }
}

/// Why a database was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// An earlier release of Dify made the database.
    #[error(
        "the database is at revision {0} of an earlier Dify release; nothing was changed. Upgrade it \
         with Dify {release} first (run the image langgenius/dify-api:{release} once with \
         MODE=migration and MIGRATION_ENABLED=true), then start this server again",
        release = types::DIFY_VERSION
    )]
    Older(String),
    /// A later release of Dify or something else made the database.
    #[error(
        "the database is at revision {0}, which is not known to this release (made for Dify \
         {release}, revision {head}); nothing was changed. Use the release of this server that \
         belongs to your Dify release, or point DB_DATABASE at another database",
        release = types::DIFY_VERSION,
        head = types::ALEMBIC_HEAD
    )]
    Unknown(String),
    /// The database holds tables of unknown origin.
    #[error(
        "the database holds tables (for example {0:?}) but no alembic revision, so it is not clear \
         whose they are; nothing was changed. Point DB_DATABASE at an empty database, or restore \
         the table alembic_version if this is a Dify database"
    )]
    Unversioned(String),
    /// An addition was edited after it had been applied.
    #[error(
        "addition {0:?} was applied in another form than this release has; nothing was changed. \
         Use an official build, or undo the addition and delete its row from dify_rs_migrations"
    )]
    Edited(&'static str),
    /// A statement failed; all were rolled back.
    #[error("could not migrate the database; nothing was changed")]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(err: sqlx::Error) -> Self {
        Self::Db(err.into())
    }
}

/// Builds Dify's schema if the database is empty, then makes the additions that are missing.
///
/// A database at Dify's current revision keeps everything of Dify's as it is. Safe to call from
/// any number of processes at once.
///
/// # Errors
/// Every variant of [`MigrateError`]; in each case the database is as it was before.
#[boxed]
pub async fn run(db: &Db) -> Result<Report, MigrateError> {
    // Most starts find nothing to do: no lock, no write, so a read-only role will do.
    if status(db).await?.is_current() {
        return Ok(Report::default());
    }

    let mut tx = db.begin().await?;
    sqlx::raw_sql(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
         SET LOCAL idle_in_transaction_session_timeout = 0",
    )
    .execute(&mut *tx)
    .await?;
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *tx)
        .await?;
    if !free {
        tracing::info!("another process migrates the database; waiting for it");
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    }

    // Look again: what was missing may have been made while this process waited.
    let status = read_status(&mut tx).await?;
    let mut report = Report::default();
    match status.dify {
        DifySchema::Current => {}
        DifySchema::Empty => {
            build(&mut tx).await?;
            report.built = true;
        }
        DifySchema::Older(revision) => return Err(MigrateError::Older(revision)),
        DifySchema::Unknown(revision) => return Err(MigrateError::Unknown(revision)),
        DifySchema::Unversioned(table) => return Err(MigrateError::Unversioned(table)),
    }
    for addition in ADDITIONS.iter().filter(|a| status.pending.contains(&a.name)) {
        add(&mut tx, addition).await?;
        report.added.push(addition.name);
    }
    tx.commit().await?;
    tracing::info!(built = report.built, added = ?report.added, "the database is migrated");
    Ok(report)
}

/// Looks at the database without changing or locking anything.
///
/// # Errors
/// [`MigrateError::Edited`], or [`MigrateError::Db`] if the database cannot be read.
#[boxed]
pub async fn status(db: &Db) -> Result<Status, MigrateError> {
    let mut conn = db.acquire().await?;
    read_status(&mut conn).await
}

/// Compares tables, columns, defaults, constraints, indexes, sequences, functions and extensions
/// with what the migrations leave. Empty means identical; [`Drift::Extra`] is harmless.
///
/// # Errors
/// If the database cannot be read.
#[boxed]
pub async fn verify(db: &Db) -> Result<Vec<Drift>, MigrateError> {
    let found = catalogue::read(&mut *db.acquire().await?).await?;
    Ok(catalogue::compare(&catalogue::parse(EXPECTED), &found))
}

/// Every object of the database that [`verify`] looks at, in order.
///
/// # Errors
/// If the database cannot be read.
#[boxed]
pub async fn catalogue(db: &Db) -> Result<Vec<Object>, MigrateError> {
    Ok(catalogue::read(&mut *db.acquire().await?).await?)
}

/// Names the schema that [`run`] leaves: changes with any statement of it. For caches of migrated
/// databases, such as the templates tests clone.
#[must_use]
pub fn fingerprint() -> u64 {
    // FNV-1a: the standard hasher may differ between builds.
    let texts = std::iter::once(BASELINE).chain(ADDITIONS.iter().map(|a| a.sql));
    texts.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

async fn build(db: &mut PgConnection) -> Result<(), MigrateError> {
    sqlx::raw_sql(BASELINE).execute(&mut *db).await?;
    sqlx::query("INSERT INTO alembic_version (version_num) VALUES ($1)")
        .bind(types::ALEMBIC_HEAD)
        .execute(db)
        .await?;
    Ok(())
}

async fn add(db: &mut PgConnection, addition: &Addition) -> Result<(), MigrateError> {
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS dify_rs_migrations (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )",
    )
    .execute(&mut *db)
    .await?;
    sqlx::raw_sql(addition.sql).execute(&mut *db).await?;
    sqlx::query(
        "INSERT INTO dify_rs_migrations (version, name, checksum)
         VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
    )
    .bind(addition.version)
    .bind(addition.name)
    .bind(addition.sql)
    .execute(db)
    .await?;
    Ok(())
}

async fn read_status(db: &mut PgConnection) -> Result<Status, MigrateError> {
    let found = look(db).await?;
    let dify = read_dify(db, &found).await?;
    let mut status = Status { dify, applied: Vec::new(), pending: Vec::new() };
    let mut seen = Vec::new();
    if found.additions {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT version, name, checksum FROM dify_rs_migrations ORDER BY version",
        )
        .fetch_all(&mut *db)
        .await?;
        for (version, name, checksum) in rows {
            // One of a later release is left alone: additions never disturb.
            if let Some(known) = ADDITIONS.iter().find(|a| a.version == version) {
                let ours: String =
                    sqlx::query_scalar("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')")
                        .bind(known.sql)
                        .fetch_one(&mut *db)
                        .await?;
                if ours != checksum {
                    return Err(MigrateError::Edited(known.name));
                }
            }
            seen.push(version);
            status.applied.push(name);
        }
    }
    status.pending =
        ADDITIONS.iter().filter(|a| !seen.contains(&a.version)).map(|a| a.name).collect();
    Ok(status)
}

/// What tables there are, all seen at one moment.
#[derive(sqlx::FromRow)]
struct Found {
    /// `alembic_version` is there.
    alembic: bool,
    /// `dify_rs_migrations` is there.
    additions: bool,
    /// Some table, view or sequence that no extension brought.
    relation: Option<String>,
}

/// One statement and so one snapshot: asked one after the other, these questions can straddle the commit of another
/// process that builds the schema, and a good database then looks like one with tables but without a revision.
async fn look(db: &mut PgConnection) -> Result<Found, MigrateError> {
    Ok(sqlx::query_as(
        "WITH relation AS (
            SELECT relname::text AS name, relkind AS kind FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace
              AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
              AND NOT EXISTS (
                  SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
              )
        )
        SELECT EXISTS (SELECT FROM relation WHERE name = 'alembic_version' AND kind = 'r') AS alembic,
               EXISTS (SELECT FROM relation WHERE name = 'dify_rs_migrations' AND kind = 'r') AS additions,
               (SELECT name FROM relation ORDER BY kind = 'S', name LIMIT 1) AS relation",
    )
    .fetch_one(db)
    .await?)
}

async fn read_dify(db: &mut PgConnection, found: &Found) -> Result<DifySchema, MigrateError> {
    let mut revisions: Vec<String> = Vec::new();
    if found.alembic {
        revisions = sqlx::query_scalar("SELECT version_num FROM alembic_version ORDER BY 1")
            .fetch_all(&mut *db)
            .await?;
    }
    match revisions.as_slice() {
        [revision] if revision == types::ALEMBIC_HEAD => Ok(DifySchema::Current),
        [revision] if OLDER_REVISIONS.lines().any(|line| line == revision) => {
            Ok(DifySchema::Older(revision.clone()))
        }
        [] => Ok(found.relation.clone().map_or(DifySchema::Empty, DifySchema::Unversioned)),
        several => Ok(DifySchema::Unknown(several.join(", "))),
    }
}
