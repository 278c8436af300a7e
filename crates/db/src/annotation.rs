//! `message_annotations`, `app_annotation_settings`, `app_annotation_hit_histories`: answers that builders fixed.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AnnotationId, AppId, ConversationId, MessageId};
use uuid::Uuid;

use crate::Result;

/// A question and the answer it always gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The annotation.
    pub id: AnnotationId,
    /// The question.
    pub question: String,
    /// The answer.
    pub content: String,
    /// How often it answered.
    pub hit_count: i32,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

/// Annotations of an app whose question or answer contains `keyword` (escaped for `LIKE`), newest first.
#[tracing::instrument(name = "db.annotation.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    app: AppId,
    keyword: &str,
    offset: i64,
    limit: i64,
) -> Result<Vec<Annotation>> {
    Ok(sqlx::query_as!(
        Annotation,
        r#"
        SELECT id, question, content, hit_count, created_at
        FROM message_annotations
        WHERE app_id = $1 AND (question ILIKE '%' || $2::text || '%' OR content ILIKE '%' || $2::text || '%')
        ORDER BY created_at DESC, id DESC
        OFFSET $3 LIMIT $4
        "#,
        app as _,
        keyword,
        offset,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// How many annotations [`list`] has.
#[tracing::instrument(name = "db.annotation.count", skip_all, err)]
#[boxed]
pub async fn count(db: &mut PgConnection, app: AppId, keyword: &str) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM message_annotations
        WHERE app_id = $1 AND (question ILIKE '%' || $2::text || '%' OR content ILIKE '%' || $2::text || '%')
        "#,
        app as _,
        keyword,
    )
    .fetch_one(db)
    .await?)
}

/// An annotation that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewAnnotation<'a> {
    /// The app.
    pub app: AppId,
    /// The message it was made of, and its conversation.
    pub of: Option<(ConversationId, MessageId)>,
    /// The question.
    pub question: &'a str,
    /// The answer.
    pub content: &'a str,
    /// Who makes it.
    pub by: AccountId,
}

/// Adds an annotation.
#[tracing::instrument(name = "db.annotation.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    new: NewAnnotation<'_>,
    now: NaiveDateTime,
) -> Result<Annotation> {
    Ok(sqlx::query_as!(
        Annotation,
        r#"
        INSERT INTO message_annotations (id, app_id, conversation_id, message_id, question, content, account_id,
                                         created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        RETURNING id, question, content, hit_count, created_at
        "#,
        AnnotationId::random() as _,
        new.app as _,
        new.of.map(|(conversation, _)| conversation) as _,
        new.of.map(|(_, message)| message) as _,
        new.question,
        new.content,
        new.by as _,
        now,
    )
    .fetch_one(db)
    .await?)
}

/// Adds annotations that are made of no message, but for those that are there.
#[tracing::instrument(name = "db.annotation.insert_all", skip_all, err)]
#[boxed]
pub async fn insert_all(
    db: &mut PgConnection,
    app: AppId,
    by: AccountId,
    rows: &[(Uuid, &str, &str)],
    now: NaiveDateTime,
) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|(id, _, _)| *id).collect();
    let questions: Vec<String> =
        rows.iter().map(|(_, question, _)| (*question).to_owned()).collect();
    let answers: Vec<String> = rows.iter().map(|(_, _, answer)| (*answer).to_owned()).collect();
    sqlx::query!(
        r#"
        INSERT INTO message_annotations (id, app_id, question, content, account_id, created_at, updated_at)
        SELECT id, $2, question, content, $3, $6, $6
        FROM unnest($1::uuid[], $4::text[], $5::text[]) AS t(id, question, content)
        ON CONFLICT (id) DO NOTHING
        "#,
        &ids,
        app as _,
        by as _,
        &questions,
        &answers,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Changes the annotation of a message; `None` if it has none.
#[tracing::instrument(name = "db.annotation.update_of_message", skip_all, err)]
#[boxed]
pub async fn update_of_message(
    db: &mut PgConnection,
    app: AppId,
    message: MessageId,
    text: (&str, &str),
    now: NaiveDateTime,
) -> Result<Option<Annotation>> {
    Ok(sqlx::query_as!(
        Annotation,
        r#"
        UPDATE message_annotations SET question = $3, content = $4, updated_at = $5
        WHERE app_id = $1 AND message_id = $2
        RETURNING id, question, content, hit_count, created_at
        "#,
        app as _,
        message as _,
        text.0,
        text.1,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Changes an annotation; `None` if the app has no such one.
#[tracing::instrument(name = "db.annotation.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    app: AppId,
    id: AnnotationId,
    text: (&str, &str),
    now: NaiveDateTime,
) -> Result<Option<Annotation>> {
    Ok(sqlx::query_as!(
        Annotation,
        r#"
        UPDATE message_annotations SET question = $3, content = $4, updated_at = $5
        WHERE app_id = $1 AND id = $2
        RETURNING id, question, content, hit_count, created_at
        "#,
        app as _,
        id as _,
        text.0,
        text.1,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Deletes annotations of an app (all of them without `ids`) and what tells when they answered.
#[tracing::instrument(name = "db.annotation.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, app: AppId, ids: Option<&[Uuid]>) -> Result<u64> {
    let done = sqlx::query!(
        r#"
        WITH gone AS (
            DELETE FROM message_annotations
            WHERE app_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2))
            RETURNING id
        ), history AS (
            DELETE FROM app_annotation_hit_histories h USING gone WHERE h.app_id = $1 AND h.annotation_id = gone.id
        ), vectors AS (
            DELETE FROM dify_rs_annotation_vectors v USING gone WHERE v.app_id = $1 AND v.annotation_id = gone.id
        )
        SELECT count(*) AS "count!" FROM gone
        "#,
        app as _,
        ids as Option<&[Uuid]>,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(done.count).unwrap_or_default())
}

/// One time an annotation answered.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The row.
    pub id: Uuid,
    /// Through what it was asked.
    pub source: String,
    /// How alike the questions were, from 0 to 1.
    pub score: f64,
    /// What was asked.
    pub question: String,
    /// When.
    pub created_at: NaiveDateTime,
    /// The annotation's question then.
    pub annotation_question: String,
    /// The annotation's answer then.
    pub annotation_content: String,
}

/// When an annotation answered, latest first, and how often altogether; `None` if the app has no such annotation.
#[tracing::instrument(name = "db.annotation.hits", skip_all, err)]
#[boxed]
pub async fn hits(
    db: &mut PgConnection,
    app: AppId,
    id: AnnotationId,
    offset: i64,
    limit: i64,
) -> Result<Option<(Vec<Hit>, i64)>> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT (SELECT count(*) FROM app_annotation_hit_histories h WHERE h.app_id = $1 AND h.annotation_id = a.id)
               AS "total!"
        FROM message_annotations a WHERE a.app_id = $1 AND a.id = $2
        "#,
        app as _,
        id as _,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(total) = found else { return Ok(None) };
    let rows = sqlx::query_as!(
        Hit,
        r#"
        SELECT id, source, score, question, created_at, annotation_question, annotation_content
        FROM app_annotation_hit_histories
        WHERE app_id = $1 AND annotation_id = $2
        ORDER BY created_at DESC, id DESC
        OFFSET $3 LIMIT $4
        "#,
        app as _,
        id as _,
        offset,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(Some((rows, total)))
}

/// How an app uses its annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The row.
    pub id: Uuid,
    /// How alike questions must be, from 0 to 1.
    pub score_threshold: f64,
    /// Provider of the embedding model.
    pub provider_name: Option<String>,
    /// The embedding model.
    pub model_name: Option<String>,
}

/// How an app uses its annotations; `None`: not at all.
#[tracing::instrument(name = "db.annotation.setting", skip_all, err)]
#[boxed]
pub async fn setting(db: &mut PgConnection, app: AppId) -> Result<Option<Setting>> {
    Ok(sqlx::query_as!(
        Setting,
        r#"
        SELECT s.id AS "id!", s.score_threshold AS "score_threshold!", b.provider_name AS "provider_name?", b.model_name AS "model_name?"
        FROM app_annotation_settings s LEFT JOIN dataset_collection_bindings b ON b.id = s.collection_binding_id
        WHERE s.app_id = $1
        "#,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Changes how alike questions must be; whether the app has that setting.
#[tracing::instrument(name = "db.annotation.set_threshold", skip_all, err)]
#[boxed]
pub async fn set_threshold(
    db: &mut PgConnection,
    app: AppId,
    id: Uuid,
    threshold: f64,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE app_annotation_settings SET score_threshold = $3, updated_user_id = $4, updated_at = $5
        WHERE app_id = $1 AND id = $2
        "#,
        app as _,
        id,
        threshold,
        by.0,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
