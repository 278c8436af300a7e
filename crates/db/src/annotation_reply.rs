//! `app_annotation_settings` as runs use them, `dify_rs_annotation_vectors`, and what happens when an annotation answers.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AnnotationId, AppId, MessageId};
use uuid::Uuid;

use crate::Result;

/// What `dataset_collection_bindings` calls models that compare questions with annotations.
const KIND: &str = "annotation";

/// How an app replies with annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// How alike questions must be, from 0 to 1.
    pub score_threshold: f64,
    /// The binding of the embedding model.
    pub binding: Uuid,
    /// Its provider.
    pub provider: String,
    /// The embedding model.
    pub model: String,
}

/// How an app replies with annotations; `None`: it does not.
#[tracing::instrument(name = "db.annotation_reply.rule", skip_all, err)]
#[boxed]
pub async fn rule(db: &mut PgConnection, app: AppId) -> Result<Option<Rule>> {
    Ok(sqlx::query_as!(
        Rule,
        r#"
        SELECT s.score_threshold, b.id AS binding, b.provider_name AS provider, b.model_name AS model
        FROM app_annotation_settings s JOIN dataset_collection_bindings b ON b.id = s.collection_binding_id
        WHERE s.app_id = $1
        ORDER BY s.created_at
        LIMIT 1
        "#,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The binding of an embedding model, made if there is none.
#[tracing::instrument(name = "db.annotation_reply.bind", skip_all, err)]
#[boxed]
pub async fn bind(
    db: &mut PgConnection,
    provider: &str,
    model: &str,
    now: NaiveDateTime,
) -> Result<Uuid> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT id FROM dataset_collection_bindings
        WHERE provider_name = $1 AND model_name = $2 AND type = $3
        ORDER BY created_at
        LIMIT 1
        "#,
        provider,
        model,
        KIND,
    )
    .fetch_optional(&mut *db)
    .await?;
    if let Some(id) = found {
        return Ok(id);
    }
    let id = Uuid::new_v4();
    // The name of a collection in a vector store, as the reference makes them.
    let collection = format!("Vector_index_{}_Node", Uuid::new_v4().to_string().replace('-', "_"));
    sqlx::query!(
        r#"
        INSERT INTO dataset_collection_bindings (id, provider_name, model_name, type, collection_name, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        "#,
        id,
        provider,
        model,
        KIND,
        collection,
        now,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Lets an app reply with annotations, or do so in another way.
#[tracing::instrument(name = "db.annotation_reply.enable", skip_all, err)]
#[boxed]
pub async fn enable(
    db: &mut PgConnection,
    app: AppId,
    binding: Uuid,
    threshold: f64,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    let changed = sqlx::query!(
        r#"
        UPDATE app_annotation_settings
        SET score_threshold = $2, collection_binding_id = $3, updated_user_id = $4, updated_at = $5
        WHERE app_id = $1
        "#,
        app as _,
        threshold,
        binding,
        by.0,
        now,
    )
    .execute(&mut *db)
    .await?;
    if 0 < changed.rows_affected() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO app_annotation_settings (id, app_id, score_threshold, collection_binding_id, created_user_id,
                                             created_at, updated_user_id, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $5, $6)
        "#,
        Uuid::new_v4(),
        app as _,
        threshold,
        binding,
        by.0,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets an app no longer reply with annotations. Their vectors go with it.
#[tracing::instrument(name = "db.annotation_reply.disable", skip_all, err)]
#[boxed]
pub async fn disable(db: &mut PgConnection, app: AppId) -> Result<()> {
    sqlx::query!("DELETE FROM app_annotation_settings WHERE app_id = $1", app as _)
        .execute(&mut *db)
        .await?;
    forget(db, app, None).await
}

/// Deletes the vectors of an app, but not those of the model of `keep`.
#[tracing::instrument(name = "db.annotation_reply.forget", skip_all, err)]
#[boxed]
pub async fn forget(db: &mut PgConnection, app: AppId, keep: Option<Uuid>) -> Result<()> {
    sqlx::query!(
        "DELETE FROM dify_rs_annotation_vectors WHERE app_id = $1 AND ($2::uuid IS NULL OR binding_id <> $2)",
        app as _,
        keep,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A question without a vector.
#[derive(Debug, Clone)]
pub struct Unindexed {
    /// The annotation.
    pub id: AnnotationId,
    /// Its question.
    pub question: String,
    /// What tells whether the question changed.
    pub question_md5: String,
}

/// Annotations of an app whose question has no vector, or an old one.
#[tracing::instrument(name = "db.annotation_reply.unindexed", skip_all, err)]
#[boxed]
pub async fn unindexed(
    db: &mut PgConnection,
    app: AppId,
    binding: Uuid,
    limit: i64,
) -> Result<Vec<Unindexed>> {
    Ok(sqlx::query_as!(
        Unindexed,
        r#"
        SELECT a.id, a.question, md5(a.question) AS "question_md5!"
        FROM message_annotations a
        WHERE a.app_id = $1 AND NOT EXISTS (
            SELECT FROM dify_rs_annotation_vectors v
            WHERE v.app_id = $1 AND v.binding_id = $2 AND v.annotation_id = a.id AND v.question_md5 = md5(a.question)
        )
        ORDER BY a.id
        LIMIT $3
        "#,
        app as _,
        binding,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// A question as a vector.
#[derive(Debug, Clone)]
pub struct Vector {
    /// The annotation.
    pub annotation: AnnotationId,
    /// Little-endian `f32`.
    pub vector: Vec<u8>,
}

/// Keeps vectors of questions.
#[tracing::instrument(name = "db.annotation_reply.index", skip_all, err)]
#[boxed]
pub async fn index(
    db: &mut PgConnection,
    app: AppId,
    binding: Uuid,
    rows: &[Unindexed],
    vectors: &[Vec<u8>],
) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let hashes: Vec<String> = rows.iter().map(|row| row.question_md5.clone()).collect();
    sqlx::query!(
        r#"
        INSERT INTO dify_rs_annotation_vectors (app_id, binding_id, annotation_id, question_md5, vector)
        SELECT $1, $2, id, hash, vector FROM unnest($3::uuid[], $4::text[], $5::bytea[]) AS t(id, hash, vector)
        ON CONFLICT (app_id, binding_id, annotation_id)
        DO UPDATE SET question_md5 = excluded.question_md5, vector = excluded.vector
        "#,
        app as _,
        binding,
        &ids,
        &hashes,
        vectors,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The questions of an app as vectors of one model. A vector that is out of date is better than none.
#[tracing::instrument(name = "db.annotation_reply.vectors", skip_all, err)]
#[boxed]
pub async fn vectors(db: &mut PgConnection, app: AppId, binding: Uuid) -> Result<Vec<Vector>> {
    Ok(sqlx::query_as!(
        Vector,
        r#"
        SELECT a.id AS annotation, v.vector
        FROM dify_rs_annotation_vectors v
        JOIN message_annotations a ON a.id = v.annotation_id AND a.app_id = v.app_id
        WHERE v.app_id = $1 AND v.binding_id = $2
        "#,
        app as _,
        binding,
    )
    .fetch_all(db)
    .await?)
}

/// A question that an annotation answers.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The app.
    pub app: AppId,
    /// The annotation.
    pub annotation: AnnotationId,
    /// The question.
    pub question: &'a str,
    /// Through what it was asked: `api` or `console`.
    pub source: &'a str,
    /// How alike the questions are.
    pub score: f64,
    /// The message that is being answered.
    pub message: MessageId,
    /// Who asked: an account or an end user.
    pub user: Uuid,
}

/// The annotation that answers.
#[derive(Debug, Clone)]
pub struct Answering {
    /// The answer.
    pub content: String,
    /// Who wrote it.
    pub account_id: AccountId,
    /// Their name, while they have an account.
    pub account_name: Option<String>,
}

/// Counts that an annotation answers, and what it says; `None` if it is gone.
#[tracing::instrument(name = "db.annotation_reply.hit", skip_all, err)]
#[boxed]
pub async fn hit(
    db: &mut PgConnection,
    asked: Asked<'_>,
    now: NaiveDateTime,
) -> Result<Option<Answering>> {
    Ok(sqlx::query_as!(
        Answering,
        r#"
        WITH hit AS (
            UPDATE message_annotations SET hit_count = hit_count + 1
            WHERE app_id = $1 AND id = $2
            RETURNING id, question, content, account_id
        ), history AS (
            INSERT INTO app_annotation_hit_histories (id, app_id, annotation_id, source, question, account_id, created_at,
                                                      score, message_id, annotation_question, annotation_content)
            SELECT $3, $1, hit.id, $4, $5, $6, $7, $8, $9, hit.question, hit.content FROM hit
        )
        SELECT hit.content AS "content!", hit.account_id AS "account_id!: AccountId", a.name AS "account_name?"
        FROM hit LEFT JOIN accounts a ON a.id = hit.account_id
        "#,
        asked.app as _,
        asked.annotation as _,
        Uuid::now_v7(),
        asked.source,
        asked.question,
        asked.user,
        now,
        asked.score,
        asked.message as _,
    )
    .fetch_optional(db)
    .await?)
}
