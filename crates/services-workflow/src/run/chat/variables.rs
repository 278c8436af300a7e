//! The variables of a conversation: read when a turn begins, written when an assigner changes them.

use db::workflow_conversation_variable as rows;
use graph::{FileUrls, Segment, Value, VariablePool, pool::CONVERSATION};
use services_core::{Ctx, Fault};
use types::{AppId, ConversationId};
use uuid::Uuid;

use crate::{
    run::Version,
    variable::{Scope, Variable, of_row},
};

/// Where assigners note what they changed.
const UPDATED: &str = "__updated_variables";

/// The variables of one conversation.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct Variables {
    held: Vec<Variable>,
    /// How many at the end of `held` have no row yet.
    fresh: usize,
}

impl Variables {
    /// What the conversation has, and the defaults of what the version has beside; a new conversation has nothing.
    pub(super) async fn load(
        ctx: &Ctx,
        app: AppId,
        conversation: Option<ConversationId>,
        version: &Version,
    ) -> Result<Self, Fault> {
        let mut held = match conversation {
            Some(conversation) => Self::of_conversation(ctx, app, conversation).await?.held,
            None => Vec::new(),
        };
        let known = held.len();
        for variable in of_row(Scope::Conversation, &version.conversation_variables) {
            if !held.iter().any(|it| it.id == variable.id) {
                held.push(variable);
            }
        }
        let fresh = held.len() - known;
        Ok(Self { held, fresh })
    }

    /// What the conversation has.
    pub(super) async fn of_conversation(
        ctx: &Ctx,
        app: AppId,
        conversation: ConversationId,
    ) -> Result<Self, Fault> {
        let mut conn = ctx.db.acquire().await?;
        let rows = rows::list(&mut conn, app, conversation).await?;
        Ok(Self { held: rows.iter().filter_map(|row| read(&row.data)).collect(), fresh: 0 })
    }

    /// Adds the rows that are missing. Belongs into the transaction that begins the turn.
    pub(super) async fn insert(
        &self,
        tx: &mut db::PgConnection,
        app: AppId,
        conversation: ConversationId,
        now: chrono::NaiveDateTime,
    ) -> Result<(), Fault> {
        let known = self.held.len().saturating_sub(self.fresh);
        for variable in self.held.iter().skip(known) {
            let Some((id, data)) = row(variable)? else { continue };
            rows::insert_missing(tx, app, conversation, id, &data, now).await?;
        }
        Ok(())
    }

    /// Puts the variables where nodes read them.
    pub(super) fn put(&self, pool: &mut VariablePool) {
        for variable in &self.held {
            let value = Value::from_json(variable.value.clone());
            pool.set(CONVERSATION, &variable.name, Segment::new(variable.kind, value));
        }
    }

    /// Writes what an assigner changed.
    pub(super) async fn keep(
        &mut self,
        ctx: &Ctx,
        (app, conversation): (AppId, ConversationId),
        process_data: &graph::Object,
        urls: &dyn FileUrls,
    ) -> Result<(), Fault> {
        let changes = process_data.get(UPDATED).and_then(Value::as_array).unwrap_or_default();
        let mut changed = Vec::new();
        for change in changes.iter().filter_map(Value::as_object) {
            let selector = change.get("selector").and_then(Value::as_array).unwrap_or_default();
            let [scope, name] = selector else { continue };
            let (Some(CONVERSATION), Some(name)) = (scope.as_str(), name.as_str()) else {
                continue;
            };
            let Some(variable) = self.held.iter_mut().find(|it| it.name == name) else { continue };
            variable.value = change.get("new_value").unwrap_or(&Value::Null).to_json(urls);
            changed.extend(row(variable)?);
        }
        if changed.is_empty() {
            return Ok(());
        }
        let now = ctx.now_naive();
        let mut tx = ctx.db.begin().await?;
        for (id, data) in &changed {
            // Somebody may have removed the row meanwhile; the value is not lost for that.
            if !rows::update(&mut tx, app, conversation, *id, data, now).await? {
                rows::insert_missing(&mut tx, app, conversation, *id, data, now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

fn read(data: &str) -> Option<Variable> {
    let mapping = serde_json::from_str(data).unwrap_or_default();
    match Variable::read(Scope::Conversation, &mapping, i64::MAX) {
        Ok(variable) => Some(variable),
        Err(err) => {
            tracing::warn!(error = %err, "a variable of a conversation is unreadable");
            None
        }
    }
}

/// The row of a variable. Only those with ids like the reference's can have one.
fn row(variable: &Variable) -> Result<Option<(Uuid, String)>, Fault> {
    let Ok(id) = variable.id.parse() else { return Ok(None) };
    let data = serde_json::to_string(&variable.stored())
        .map_err(|err| Fault::caused("a variable does not serialise", err))?;
    Ok(Some((id, data)))
}
