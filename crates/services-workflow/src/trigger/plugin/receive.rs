//! Requests from services, to the address of a subscription or of one that is being made.

use boxed::boxed;
use bytes::Bytes;
use db::trigger_subscription;
use http::{HeaderMap, Method, StatusCode};
use jobs::{Job, tasks};
use plugin::{
    CredentialType,
    http_message::{self, RawResponse},
    oauth::IncomingRequest,
    trigger::TriggerCall,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use services_core::Fault;
use types::TenantId;
use uuid::Uuid;

use super::{EventError, Events, Values, builder::RequestLog};

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The whole address, for people.
    pub url: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Incoming {
    fn request(&self) -> IncomingRequest<'_> {
        IncomingRequest {
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        }
    }

    fn raw(&self) -> Vec<u8> {
        http_message::request(&self.method, &self.target, &self.headers, &self.body)
    }
}

/// Events that happened, as the job that starts workflows gets them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Happened {
    /// The user they are about.
    pub user_id: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The address.
    pub endpoint_id: String,
    /// The provider.
    pub provider_id: String,
    /// The subscription.
    pub subscription_id: Uuid,
    /// Unix seconds.
    pub timestamp: i64,
    /// Names of the events.
    pub events: Vec<String>,
    /// The stored request.
    pub request_id: String,
}

/// Where the request behind events is kept until workflows have seen it.
pub(super) fn request_key(request: &str) -> String {
    format!("triggers/{request}.raw")
}

/// Where its details are kept.
pub(super) fn payload_key(request: &str) -> String {
    format!("triggers/{request}.payload")
}

impl Events {
    /// What to answer a request to an address; `None` if nobody has it.
    ///
    /// # Errors
    /// What the plugin raises.
    #[tracing::instrument(skip_all)]
    #[boxed]
    pub async fn receive(
        &self,
        endpoint: &str,
        incoming: &Incoming,
    ) -> Result<Option<RawResponse>, EventError> {
        let row = {
            let mut conn = self.ctx.db.acquire().await?;
            trigger_subscription::find_by_credential(&mut conn, endpoint).await?
        };
        let Some(row) = row else { return self.receive_for_builder(endpoint, incoming).await };
        let provider = self.find(row.tenant_id, &row.provider_id).await?;
        let opened = self.open(&provider, row).await?;
        let subscription = values(&opened.entity(self))?;
        let call = opened.call("", &provider);
        let answer = self.daemon()?.dispatch_event(call, &subscription, incoming.request()).await?;
        if answer.events.is_empty() {
            return Ok(Some(answer.response));
        }
        if let Some(unknown) = answer.events.iter().find(|name| !provider.has_event(name)) {
            return Err(EventError::Invalid(format!(
                "Event name {unknown} not found in provider {}",
                opened.row.provider_id
            )));
        }
        let now = self.ctx.now().timestamp();
        let suffix: String = Uuid::new_v4().simple().to_string().chars().take(12).collect();
        let happened = Happened {
            user_id: answer.user_id,
            tenant_id: opened.row.tenant_id,
            endpoint_id: endpoint.to_owned(),
            provider_id: opened.row.provider_id.clone(),
            subscription_id: opened.row.id,
            timestamp: now,
            events: answer.events,
            request_id: format!("trigger_request_{now}_{suffix}"),
        };
        self.queue(&happened, incoming.raw(), &answer.payload).await?;
        Ok(Some(answer.response))
    }

    async fn queue(
        &self,
        happened: &Happened,
        raw: Vec<u8>,
        payload: &Values,
    ) -> Result<(), EventError> {
        let storage = &self.ctx.storage;
        let stored = async {
            storage.save(&request_key(&happened.request_id), raw).await?;
            storage.save(&payload_key(&happened.request_id), json_bytes(payload)).await
        };
        stored.await.map_err(|err| Fault::caused("a request could not be stored", err))?;
        let job =
            Job::new(tasks::DISPATCH_TRIGGERED_WORKFLOWS_ASYNC).set("dispatch_data", happened);
        let queued = self.ctx.jobs.enqueue(job).await;
        queued.map_err(|err| Fault::caused("events could not be queued", err))?;
        Ok(())
    }

    /// The same for a subscription that is being made: nothing starts, but the request is shown to whom makes it.
    async fn receive_for_builder(
        &self,
        endpoint: &str,
        incoming: &Incoming,
    ) -> Result<Option<RawResponse>, EventError> {
        let Some(builder) = self.kept(endpoint).await? else { return Ok(None) };
        let asked = async {
            let provider = self.find(builder.tenant_id, &builder.provider_id).await?;
            let credentials = Values::new();
            let call = TriggerCall {
                tenant: builder.tenant_id,
                user: "",
                provider: &provider.id,
                credentials: &credentials,
                credential_type: CredentialType::Unauthorized,
            };
            let subscription = json!({
                "expires_at": builder.expires_at, "endpoint": endpoint, "parameters": {},
                "properties": builder.properties,
            });
            let subscription = super::secret::object(&subscription);
            let answer =
                self.daemon()?.dispatch_event(call, &subscription, incoming.request()).await?;
            Ok::<_, EventError>(answer.response)
        };
        let response = match asked.await {
            Ok(response) => response,
            Err(err) => {
                tracing::info!(error = %err, "a plugin refused a request to a subscription that is being made");
                failed()
            }
        };
        self.log(entry(endpoint, incoming, &response, self.ctx.now_naive())).await?;
        Ok(Some(response))
    }
}

fn failed() -> RawResponse {
    let mut headers = HeaderMap::new();
    let kind = http::HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(http::header::CONTENT_TYPE, kind);
    RawResponse {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        headers,
        body: b"An internal error has occurred.".to_vec(),
    }
}

fn entry(
    endpoint: &str,
    incoming: &Incoming,
    response: &RawResponse,
    now: chrono::NaiveDateTime,
) -> RequestLog {
    let headers = |headers: &HeaderMap| -> Values {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value).into())).collect()
    };
    RequestLog {
        id: Uuid::new_v4().to_string(),
        endpoint: endpoint.to_owned(),
        request: json!({
            "method": incoming.method.as_str(),
            "url": incoming.url,
            "headers": headers(&incoming.headers),
            "data": String::from_utf8_lossy(&incoming.body),
        }),
        response: json!({
            "status_code": response.status.as_u16(),
            "headers": headers(&response.headers),
            "data": String::from_utf8_lossy(&response.body),
        }),
        created_at: now.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
    }
}

fn values(entity: &impl Serialize) -> Result<Values, EventError> {
    Ok(super::secret::object(&serde_json::to_value(entity)?))
}

fn json_bytes(payload: &Values) -> Vec<u8> {
    Value::Object(payload.clone()).to_string().into_bytes()
}
