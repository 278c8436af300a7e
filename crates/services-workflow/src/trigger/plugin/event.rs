//! Events that happened: which workflows they start.

use boxed::boxed;
use db::{app::App, workflow::Workflow, workflow_plugin_trigger::PluginTrigger};
use plugin::{DaemonError, trigger::InvokedEvent};
use serde_json::{Map, Value, json};
use types::{TenantId, WorkflowRunId};
use uuid::Uuid;

use super::{
    EventError, Events, Opened, Provider, Values,
    receive::{Happened, payload_key, request_key},
};
use crate::{
    graph_check::{self, TRIGGER_PLUGIN},
    run::Runner,
    trigger::{
        debug,
        dispatch::{self, Triggered},
    },
    view,
};

/// A workflow that listens.
struct Listener {
    trigger: PluginTrigger,
    app: App,
    workflow: Workflow,
    node: Map<String, Value>,
}

impl Events {
    /// Starts the workflows that listen to what happened, and tells those who are trying one out. Safe to repeat: no
    /// workflow starts twice for an event.
    ///
    /// # Errors
    /// Faults of the ground. That a plugin or a single workflow fails ends in the log of its app.
    #[tracing::instrument(skip_all, fields(subscription.id = %happened.subscription_id))]
    #[boxed]
    pub async fn happened(&self, happened: &Happened) -> Result<(), EventError> {
        let id = happened.subscription_id.to_string();
        let mut is_awaited = false;
        if let Some((provider, opened)) = self.opened(happened.tenant_id, &id).await? {
            let stored = self.stored(&happened.request_id).await?;
            if let Some((raw, payload)) = stored {
                for event in &happened.events {
                    is_awaited |= self.tell(happened, event).await? > 0;
                    self.start(happened, event, &provider, &opened, &raw, &payload).await?;
                }
            }
        }
        if !is_awaited {
            self.drop_stored(&happened.request_id).await;
        }
        Ok(())
    }

    /// Tells those who wait for an event in the editor.
    async fn tell(&self, happened: &Happened, event: &str) -> Result<usize, EventError> {
        let tenant = happened.tenant_id;
        let subscription = happened.subscription_id.to_string();
        let pool = debug::plugin_pool(tenant, &happened.provider_id, &subscription, event);
        let told = json!({
            "timestamp": happened.timestamp,
            "user_id": happened.user_id,
            "name": event,
            "request_id": happened.request_id,
            "subscription_id": subscription,
            "provider_id": happened.provider_id,
        });
        Ok(debug::dispatch(&self.ctx, tenant, &pool, &told).await?)
    }

    async fn start(
        &self,
        happened: &Happened,
        event: &str,
        provider: &Provider,
        opened: &Opened,
        raw: &[u8],
        payload: &Values,
    ) -> Result<(), EventError> {
        for listener in self.listeners(happened, event).await? {
            let app = listener.app.id;
            let invoked = self.invoke(
                provider,
                opened,
                &happened.user_id,
                event,
                &listener.node,
                raw,
                payload,
            );
            let invoked = match invoked.await {
                Ok(invoked) => Ok(invoked),
                Err(Refusal::Raised(message)) => Err(message),
                Err(Refusal::Other(err)) => {
                    tracing::error!(error = %err, app.id = %app, event, "an event could not be looked at");
                    continue;
                }
            };
            let Some(invoked) = invoked.transpose_cancelled() else { continue };
            let queued = self.queue_run(happened, event, provider, listener, invoked).await;
            if let Err(err) = queued {
                tracing::error!(error = %err, app.id = %app, event, "a workflow was not started by an event");
                return Err(err);
            }
        }
        Ok(())
    }

    async fn queue_run(
        &self,
        happened: &Happened,
        event: &str,
        provider: &Provider,
        listener: Listener,
        invoked: Result<Values, String>,
    ) -> Result<(), EventError> {
        let Listener { trigger, app, workflow, .. } = listener;
        let identity = &provider.entity.declaration.identity;
        let metadata = json!({
            "type": TRIGGER_PLUGIN,
            "endpoint_id": happened.endpoint_id,
            "plugin_unique_identifier": provider.entity.plugin_unique_identifier,
            "provider_id": happened.provider_id,
            "event_name": event,
            "icon_filename": identity.icon.as_deref().unwrap_or_default(),
            "icon_dark_filename": identity.icon_dark.as_deref().unwrap_or_default(),
        });
        let user = Some(happened.user_id.as_str());
        let user =
            services_account::end_user::find_or_create(&self.ctx, &app, user, dispatch::END_USER)
                .await?;
        let once = Uuid::new_v5(&trigger.id, format!("{}:{event}", happened.request_id).as_bytes());
        let mut triggered = Triggered {
            app,
            workflow,
            node: trigger.node_id,
            kind: TRIGGER_PLUGIN,
            inputs: Map::new(),
            user: Runner::EndUser { id: user.id.0, session_id: user.session_id },
            metadata: Some(metadata),
            once: Some(once),
        };
        match invoked {
            Ok(variables) => {
                triggered.inputs = variables;
                dispatch::queue(&self.ctx, triggered).await.map_err(of_workflow)?;
            }
            Err(message) => {
                let inputs = json!({
                    "event_name": event,
                    "subscription_id": happened.subscription_id,
                    "request_id": happened.request_id,
                    "plugin_trigger_id": trigger.id,
                });
                triggered.inputs = super::secret::object(&inputs);
                let run = WorkflowRunId(Uuid::new_v5(&once, b"run"));
                dispatch::note_refused(&self.ctx, triggered, run, &message)
                    .await
                    .map_err(of_workflow)?;
            }
        }
        Ok(())
    }

    async fn listeners(
        &self,
        happened: &Happened,
        event: &str,
    ) -> Result<Vec<Listener>, EventError> {
        let tenant = happened.tenant_id;
        let subscription = happened.subscription_id.to_string();
        let mut conn = self.ctx.db.acquire().await?;
        let triggers =
            db::workflow_plugin_trigger::listeners(&mut conn, tenant, &subscription, event);
        let mut listeners = Vec::new();
        for trigger in triggers.await? {
            let Some(app) = db::app::find(&mut conn, tenant, trigger.app_id).await? else {
                continue;
            };
            let workflow = db::workflow::version::newest_version(&mut conn, tenant, app.id).await?;
            let Some(workflow) = workflow else { continue };
            let graph = view::parsed(&workflow.graph);
            let node = graph_check::node(&graph, &trigger.node_id).ok();
            let node =
                node.filter(|node| node.kind == TRIGGER_PLUGIN).map(|node| node.data.clone());
            if let Some(node) = node {
                listeners.push(Listener { trigger, app, workflow, node });
            }
        }
        Ok(listeners)
    }

    /// What an event means for a node.
    #[allow(clippy::too_many_arguments, reason = "each is a part of one call")]
    async fn invoke(
        &self,
        provider: &Provider,
        opened: &Opened,
        user: &str,
        event: &str,
        node: &Map<String, Value>,
        raw: &[u8],
        payload: &Values,
    ) -> Result<InvokedEvent, Refusal> {
        let parameters = parameters(provider, event, node)?;
        let daemon = self.daemon()?;
        let call = opened.call(user, provider);
        let subscription = opened.entity(self);
        match daemon.invoke_event(call, event, &subscription, raw, &parameters, payload).await {
            Ok(invoked) => Ok(invoked),
            Err(DaemonError::EventIgnored(_)) => {
                Ok(InvokedEvent { variables: Map::new(), cancelled: true })
            }
            Err(err) => match err.plugin_failure() {
                Some(failure) => {
                    let name = &provider.entity.declaration.identity.name;
                    Err(Refusal::Raised(failure.user_friendly(name)))
                }
                None => Err(Refusal::Other(err.into())),
            },
        }
    }

    /// What an event that was left with somebody who waits in the editor means for the node he tries out; `None` if it
    /// starts nothing.
    ///
    /// # Errors
    /// What the plugin raises, and [`EventError::Invalid`] if the subscription is gone.
    #[boxed]
    pub async fn tried(
        &self,
        tenant: TenantId,
        node: &Map<String, Value>,
        told: &Value,
    ) -> Result<Option<Values>, EventError> {
        let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default();
        let found = self.opened(tenant, text("subscription_id")).await?;
        let (provider, opened) =
            found.ok_or_else(|| EventError::invalid("Subscription not found"))?;
        let Some((raw, payload)) = self.stored(text("request_id")).await? else { return Ok(None) };
        let (user, event) = (text("user_id"), text("name"));
        let invoked = self.invoke(&provider, &opened, user, event, node, &raw, &payload).await;
        let invoked = invoked.map_err(|refusal| match refusal {
            Refusal::Raised(message) => EventError::Invalid(message),
            Refusal::Other(err) => err,
        })?;
        Ok((!invoked.cancelled).then_some(invoked.variables))
    }

    async fn stored(&self, request: &str) -> Result<Option<(Vec<u8>, Values)>, EventError> {
        let storage = &self.ctx.storage;
        let (raw, payload) = (request_key(request), payload_key(request));
        let (raw, payload) = tokio::join!(storage.load(&raw), storage.load(&payload));
        let (Ok(raw), Ok(payload)) = (raw, payload) else {
            tracing::warn!(request.id = request, "the request behind an event is gone");
            return Ok(None);
        };
        let payload: Value = serde_json::from_slice(&payload)?;
        Ok(Some((raw.to_vec(), super::secret::object(&payload))))
    }

    async fn drop_stored(&self, request: &str) {
        for key in [request_key(request), payload_key(request)] {
            if let Err(err) = self.ctx.storage.delete(&key).await {
                tracing::warn!(error = %err, key, "a request that was dealt with is left in the storage");
            }
        }
    }
}

/// Why an event says nothing to a node.
enum Refusal {
    /// The plugin raised something: the app's log says it.
    Raised(String),
    /// Beyond that.
    Other(EventError),
}

impl From<EventError> for Refusal {
    fn from(err: EventError) -> Self {
        Self::Other(err)
    }
}

/// An invoked event whose cancelled kind is nothing.
trait Wanted {
    fn transpose_cancelled(self) -> Option<Result<Values, String>>;
}

impl Wanted for Result<InvokedEvent, String> {
    fn transpose_cancelled(self) -> Option<Result<Values, String>> {
        match self {
            Ok(invoked) if invoked.cancelled => None,
            Ok(invoked) => Some(Ok(invoked.variables)),
            Err(message) => Some(Err(message)),
        }
    }
}

/// The parameters a node gives to an event: constants.
fn parameters(
    provider: &Provider,
    event: &str,
    node: &Map<String, Value>,
) -> Result<Values, EventError> {
    let events = &provider.entity.declaration.events;
    let known = events.iter().find(|it| it.identity.name == event).map(|it| &it.parameters);
    let given = node.get("event_parameters").and_then(Value::as_object);
    let mut parameters = Values::new();
    for (name, given) in given.into_iter().flatten() {
        if !known.is_some_and(|known| known.iter().any(|it| it.name == *name)) {
            parameters.insert(name.clone(), Value::Null);
            continue;
        }
        let kind = given.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind != "constant" {
            return Err(EventError::Invalid(format!("Unknown plugin trigger input type '{kind}'")));
        }
        parameters.insert(name.clone(), given.get("value").cloned().unwrap_or_default());
    }
    Ok(parameters)
}

fn of_workflow(err: crate::WorkflowError) -> EventError {
    match err {
        crate::WorkflowError::Fault(fault) => EventError::Fault(fault),
        other => EventError::Invalid(other.to_string()),
    }
}
