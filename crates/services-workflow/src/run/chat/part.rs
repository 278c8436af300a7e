//! An iteration or a loop of a chatflow's draft alone. Its run answers a message without a question, so that clients
//! read the events of chats.

use boxed::boxed;
use std::sync::Arc;

use app_engine::{
    basic::{Caller, InvokeFrom as From, config::Features},
    ports::RunContext,
};
use db::message::{Begun, NewConversation};
use serde_json::{Map, Value};
use services_conversation::{generate, record};
use tokio::sync::oneshot;
use types::{ConversationId, MessageId};

use super::{
    super::{RunFailure, Runs, Started, part::PartRequest, task},
    Asked, Turn, Variables, Waiting, note,
};

impl Runs {
    /// Starts a run of an iteration or a loop of a chatflow's draft. Returns when it is stored as running.
    ///
    /// # Errors
    /// [`RunFailure`]: nothing was stored then.
    #[boxed]
    pub async fn start_chat_container(&self, part: PartRequest) -> Result<Started, RunFailure> {
        let Some(engine) = self.engine() else { return self.start_container(part).await };
        let caller = Caller::Account(part.by());
        let new = self.container(part).await?;
        let asked = self.unasked(&new, caller).await?;
        let beside = task::Beside { asked: &asked, files: &[] };
        let held = task::hold(self, new.run_id, Some(asked.begun.id));
        task::insert(self, &new, Some(beside)).await?;
        note(&self.ctx, new.task, caller, asked.begun.id, None).await;
        // Nobody waits for the whole answer: the client reads the stream.
        let (tell, _) = oneshot::channel();
        let waiting = Waiting { slot: None, tell, key: None };
        let turn = Turn::new(&engine, asked, Arc::clone(&self.urls), waiting);
        let prefix = turn.prefix();
        let started = task::launch(self, new, Some(turn), held);
        // Set once: the run is new.
        let _ = started.run.prefix.set(prefix);
        Ok(started)
    }

    /// The message of such a run: the first of a new conversation, without a question.
    async fn unasked(&self, new: &task::New, caller: Caller) -> Result<Asked, RunFailure> {
        let ctx = &self.ctx;
        let app = &new.request.app;
        let workflow = &new.request.workflow;
        let object: Map<String, Value> =
            serde_json::from_str(&workflow.features).unwrap_or_default();
        let features = Features::read(&object);
        let conversation = ConversationId::ordered();
        let (end_user, account) = match caller {
            Caller::EndUser(id) => (Some(id), None),
            Caller::Account(id) => (None, Some(id)),
        };
        let mut begun = Begun {
            id: MessageId::ordered(),
            conversation_id: conversation,
            first: Some(NewConversation {
                name: generate::first_name(""),
                introduction: generate::introduction(&features.opening_statement, &Map::new()),
            }),
            app_id: app.id,
            app_model_config_id: None,
            model_provider: None,
            model_id: None,
            override_model_configs: None,
            mode: app.mode.clone(),
            inputs: "{}".to_owned(),
            query: String::new(),
            from_source: From::Debugger.source(),
            from_end_user_id: end_user,
            from_account_id: account,
            invoke_from: From::Debugger.as_str(),
            parent_message_id: None,
            created_at: new.created_at.naive_utc(),
            copied: None,
        };
        if ctx.config.own.conversation_store_enabled {
            begun.copied = Some(record::metadata_of(app.tenant_id, &begun));
        }
        let context = RunContext {
            tenant: app.tenant_id,
            app: app.id,
            conversation: begun.conversation_id,
            message: begun.id,
            user: caller,
            invoke_from: From::Debugger,
        };
        // A new conversation has no variables of its own; the run reads those of the draft.
        let variables = Variables::of_conversation(ctx, app.id, conversation).await?;
        Ok(Asked { context, begun, features, stream: true, variables })
    }
}
