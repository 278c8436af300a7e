//! `conversations`, as those who talk see them: their own, a page at a time.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder, prelude::FromRow};
use types::{AccountId, AppId, ConversationId, EndUserId};
use uuid::Uuid;

use crate::Result;

/// Who talks with an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participant {
    /// A console user.
    Account(AccountId),
    /// A user of the published app.
    EndUser(EndUserId),
}

impl Participant {
    /// What `from_source` says of this participant's rows.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::Account(_) => "console",
            Self::EndUser(_) => "api",
        }
    }

    /// The end user, if it is one.
    #[must_use]
    pub fn end_user(self) -> Option<EndUserId> {
        match self {
            Self::Account(_) => None,
            Self::EndUser(id) => Some(id),
        }
    }

    /// The account, if it is one.
    #[must_use]
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(id),
            Self::EndUser(_) => None,
        }
    }

    /// The participant as one who pins and saves, in `app`.
    #[must_use]
    pub fn keeper(self, app: AppId) -> crate::saved_message::Keeper<'static> {
        let (role, id) = match self {
            Self::Account(id) => ("account", id.0),
            Self::EndUser(id) => ("end_user", id.0),
        };
        crate::saved_message::Keeper { app, role, id }
    }
}

/// A conversation, as lists show it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct ConversationRow {
    /// The conversation.
    pub id: ConversationId,
    /// Its title.
    pub name: String,
    /// JSON object: values of the form.
    pub inputs: Value,
    /// `normal`.
    pub status: String,
    /// What the assistant said first.
    pub introduction: Option<String>,
    /// When it began.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
}

/// In which order a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By beginning instead of by last change.
    pub by_creation: bool,
    /// Newest first.
    pub descending: bool,
}

impl Sort {
    pub(crate) fn column(self) -> &'static str {
        if self.by_creation { "created_at" } else { "updated_at" }
    }

    fn of(self, row: &ConversationRow) -> NaiveDateTime {
        if self.by_creation { row.created_at } else { row.updated_at }
    }
}

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// Begun through this; conversations that do not know are always shown.
    pub invoke_from: &'a str,
    /// Only these.
    pub only: Option<&'a [Uuid]>,
    /// None of these.
    pub without: Option<&'a [Uuid]>,
    /// The order.
    pub sort: Sort,
}

/// Conversations of a participant that follow `after` in the list, `limit` at the most.
#[tracing::instrument(name = "db.conversation_list.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    app: AppId,
    who: Participant,
    filter: Filter<'_>,
    after: Option<&ConversationRow>,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    let mut query = select(app, who, filter);
    let column = filter.sort.column();
    if let Some(after) = after {
        // The id breaks ties, so that no page leaves out what was changed in the same second.
        query.push(" AND (").push(column);
        query.push(if filter.sort.descending { ", id) < (" } else { ", id) > (" });
        query.push_bind(filter.sort.of(after)).push(", ").push_bind(after.id).push(")");
    }
    let direction = if filter.sort.descending { " DESC" } else { " ASC" };
    query.push(" ORDER BY ").push(column).push(direction).push(", id").push(direction);
    query.push(" LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(db).await?)
}

/// The conversation, if the list shows it.
#[tracing::instrument(name = "db.conversation_list.find_in_list", skip_all, err)]
#[boxed]
pub async fn find_in_list(
    db: &mut PgConnection,
    app: AppId,
    who: Participant,
    filter: Filter<'_>,
    id: ConversationId,
) -> Result<Option<ConversationRow>> {
    let mut query = select(app, who, filter);
    query.push(" AND id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(db).await?)
}

fn select<'a>(app: AppId, who: Participant, filter: Filter<'a>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT id, name, inputs, status, introduction, created_at, updated_at FROM conversations WHERE app_id = ",
    );
    query.push_bind(app).push(" AND NOT is_deleted AND from_source = ").push_bind(who.source());
    match who {
        Participant::Account(id) => {
            query.push(" AND from_end_user_id IS NULL AND from_account_id = ").push_bind(id);
        }
        Participant::EndUser(id) => {
            query.push(" AND from_account_id IS NULL AND from_end_user_id = ").push_bind(id);
        }
    }
    query.push(" AND (invoke_from IS NULL OR invoke_from = ");
    query.push_bind(filter.invoke_from.to_owned()).push(")");
    if let Some(only) = filter.only {
        query.push(" AND id = ANY(").push_bind(only.to_vec()).push(")");
    }
    if let Some(without) = filter.without {
        query.push(" AND id <> ALL(").push_bind(without.to_vec()).push(")");
    }
    query
}

/// The conversation, if it is the participant's and not deleted.
#[tracing::instrument(name = "db.conversation_list.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    app: AppId,
    who: Participant,
    id: ConversationId,
) -> Result<Option<ConversationRow>> {
    Ok(sqlx::query_as!(
        ConversationRow,
        r#"
        SELECT id, name, inputs, status, introduction, created_at, updated_at
        FROM conversations
        WHERE app_id = $1 AND id = $2 AND NOT is_deleted AND from_source = $3
          AND from_end_user_id IS NOT DISTINCT FROM $4 AND from_account_id IS NOT DISTINCT FROM $5
        "#,
        app as _,
        id as _,
        who.source(),
        who.end_user() as _,
        who.account() as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The question a conversation began with.
#[tracing::instrument(name = "db.conversation_list.first_query", skip_all, err)]
#[boxed]
pub async fn first_query(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT query FROM messages
        WHERE app_id = $1 AND conversation_id = $2
        ORDER BY created_at, id
        LIMIT 1
        "#,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Renames a conversation; how it stands afterwards.
#[tracing::instrument(name = "db.conversation_list.rename", skip_all, err)]
#[boxed]
pub async fn rename(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
    name: &str,
    now: NaiveDateTime,
) -> Result<Option<ConversationRow>> {
    Ok(sqlx::query_as!(
        ConversationRow,
        r#"
        UPDATE conversations SET name = $3, updated_at = $4
        WHERE app_id = $1 AND id = $2 AND NOT is_deleted
        RETURNING id, name, inputs, status, introduction, created_at, updated_at
        "#,
        app as _,
        id as _,
        name,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Deletes the row of a conversation; what belongs to it goes with [`crate::conversation_log::purge`].
#[tracing::instrument(name = "db.conversation_list.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, app: AppId, id: ConversationId) -> Result<bool> {
    let done =
        sqlx::query!("DELETE FROM conversations WHERE app_id = $1 AND id = $2", app as _, id as _)
            .execute(db)
            .await?;
    Ok(0 < done.rows_affected())
}
