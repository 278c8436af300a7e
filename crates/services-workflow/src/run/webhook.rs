//! The message a client's server gets when a run ends that was asked for with `response_mode: "async"`.
//!
//! Where it goes is noted before the run starts, and that it is due when the run ends; both survive the process. It is
//! sent again, later and later, until it is taken or given up.

use boxed::boxed;
use std::time::Duration;

use net::NetError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Fault};
use types::{TenantId, WorkflowRunId};
use url::Url;

use super::{RunFailure, Runs};

/// How long it is known where the message of a run goes.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Runs whose message is due, with how often it was tried and when it is tried again.
const DUE: &str = "dify_rs:run:webhooks";

/// How often a message is sent before it is given up.
const ATTEMPTS: u32 = 10;

/// Seconds before the second attempt; each one waits twice as long as the one before.
const PAUSE: i64 = 30;

/// Fewest characters of a secret.
const SHORTEST_SECRET: usize = 16;

/// How long a client's server may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where the message about a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The workspace.
    pub tenant: TenantId,
    /// An address outside.
    pub url: String,
    /// What the message is signed with.
    pub secret: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Due {
    attempts: u32,
    /// Unix seconds.
    at: i64,
}

impl Hook {
    /// A hook as a client names it.
    ///
    /// # Errors
    /// [`RunFailure::Invalid`] for what is no address of the web, or a secret that is none.
    pub fn new(tenant: TenantId, url: &str, secret: &str) -> Result<Self, RunFailure> {
        let is_web = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            return Err(RunFailure::Invalid("webhook_url must be an http or https URL".to_owned()));
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(RunFailure::Invalid(format!(
                "webhook_secret must have at least {SHORTEST_SECRET} characters"
            )));
        }
        Ok(Self { tenant, url: url.to_owned(), secret: secret.to_owned() })
    }
}

/// Notes where the message about a run goes. Comes before the run starts.
///
/// # Errors
/// Faults of Redis.
#[boxed]
pub async fn keep(runs: &Runs, run: WorkflowRunId, hook: &Hook) -> Result<(), Fault> {
    let text =
        serde_json::to_vec(hook).map_err(|err| Fault::caused("a hook does not serialise", err))?;
    runs.ctx.redis.set_ex(&key(run), text, LIFE).await?;
    runs.hooked().insert(run);
    Ok(())
}

/// Sends the message about a run that has ended, if somebody wants it.
#[boxed]
pub async fn ended(ctx: &Ctx, run: WorkflowRunId) {
    let due = async {
        if ctx.redis.get(&key(run)).await?.is_none() {
            return Ok(false);
        }
        note(ctx, run, Due { attempts: 0, at: ctx.now().timestamp() }).await?;
        Ok::<_, Fault>(true)
    };
    match due.await {
        Ok(false) => {}
        Ok(true) => {
            let ctx = ctx.clone();
            ctx.clone().spawn(async move { attempt(&ctx, run, 0).await });
        }
        Err(err) => {
            tracing::warn!(error = %err, run.id = %run, "nobody is told that a run ended");
        }
    }
}

/// Sends the messages whose time has come.
///
/// # Errors
/// Faults of Redis.
#[boxed]
pub async fn sweep(ctx: &Ctx) -> Result<(), Fault> {
    let now = ctx.now().timestamp();
    for (run, due) in ctx.redis.hgetall(DUE).await? {
        let Ok(run) = run.parse::<WorkflowRunId>() else { continue };
        let Ok(due) = serde_json::from_slice::<Due>(&due) else { continue };
        if now < due.at {
            continue;
        }
        attempt(ctx, run, due.attempts).await;
    }
    Ok(())
}

async fn note(ctx: &Ctx, run: WorkflowRunId, due: Due) -> Result<(), Fault> {
    let due =
        serde_json::to_vec(&due).map_err(|err| Fault::caused("a time does not serialise", err))?;
    ctx.redis.hset(DUE, &run.to_string(), due).await?;
    Ok(())
}

async fn attempt(ctx: &Ctx, run: WorkflowRunId, attempts: u32) {
    let lock = format!("dify_rs:run:webhook:{run}:sending");
    match ctx.redis.set_nx_ex(&lock, b"1", PATIENCE * 2).await {
        Ok(true) => {}
        // Somebody else is at it.
        Ok(false) => return,
        Err(err) => tracing::debug!(error = %err, "a message may be sent twice"),
    }
    let sent = send(ctx, run).await;
    let settled = match &sent {
        Ok(()) => true,
        Err(err) => {
            let is_last = ATTEMPTS <= attempts + 1;
            tracing::warn!(error = %err, run.id = %run, attempts = attempts + 1, is_last, "a client's server does not take the end of a run");
            is_last
        }
    };
    let noted = async {
        if settled {
            ctx.redis.hdel(DUE, &[&run.to_string()]).await?;
            ctx.redis.del(&[&key(run)]).await?;
        } else {
            let wait = PAUSE.saturating_mul(1_i64 << attempts.min(20));
            note(ctx, run, Due { attempts: attempts + 1, at: ctx.now().timestamp() + wait })
                .await?;
        }
        ctx.redis.del(&[&lock]).await?;
        Ok::<_, Fault>(())
    };
    if let Err(err) = noted.await {
        tracing::warn!(error = %err, run.id = %run, "a message about a run may be sent again");
    }
}

/// Why a message did not arrive.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("the server answered {0}")]
    Status(u16),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

async fn send(ctx: &Ctx, run: WorkflowRunId) -> Result<(), NotSent> {
    let Some(hook) = ctx.redis.get_json::<Hook>(&key(run)).await.map_err(Fault::from)? else {
        return Ok(());
    };
    let Some(message) = message(ctx, &hook, run).await? else { return Ok(()) };
    let body = serde_json::to_string(&message)
        .map_err(|err| Fault::caused("a message does not serialise", err))?;
    let time = ctx.now().timestamp();
    let signature = signature(&hook.secret, time, &body);
    let answer = ctx
        .http
        .guarded()
        .post(&hook.url)
        .header("content-type", "application/json")
        .header("x-dify-event", "workflow_run.ended")
        .header("x-dify-signature", signature)
        .body(body)
        .timeout(PATIENCE)
        .any_status()
        .send()
        .await?;
    if answer.is_success() { Ok(()) } else { Err(NotSent::Status(answer.status().as_u16())) }
}

/// `t={time},v1={HMAC-SHA256 of "{time}.{body}"}`.
fn signature(secret: &str, time: i64, body: &str) -> String {
    let mac = crypto::hash::hmac_sha256(secret.as_bytes(), format!("{time}.{body}").as_bytes());
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

async fn message(ctx: &Ctx, hook: &Hook, run: WorkflowRunId) -> Result<Option<Value>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let row = db::workflow_run::find_of_tenant(&mut conn, hook.tenant, run).await?;
    let Some(row) = row else { return Ok(None) };
    let outputs: Value =
        row.outputs.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or(json!({}));
    let mut message = Map::new();
    let mut put = |key: &str, value: Value| {
        message.insert(key.to_owned(), value);
    };
    put("event", "workflow_run.ended".into());
    put("workflow_run_id", json!(row.id));
    put("workflow_id", json!(row.workflow_id));
    put("app_id", json!(row.app_id));
    put("status", row.status.as_str().into());
    put("outputs", outputs);
    put("error", json!(row.error));
    put("elapsed_time", json!(row.elapsed_time));
    put("total_tokens", json!(row.total_tokens));
    put("total_steps", json!(row.total_steps));
    put("created_at", row.created_at.and_utc().timestamp().into());
    put("finished_at", json!(row.finished_at.map(|at| at.and_utc().timestamp())));
    if row.r#type == "chat" {
        let messages = db::workflow_run::messages(&mut conn, row.app_id, &[run.0]).await?;
        if let Some(found) = messages.first() {
            let said = db::chatflow::said(&mut conn, row.app_id, found.message).await?;
            put("message_id", json!(found.message));
            put("conversation_id", json!(found.conversation));
            put("answer", json!(said.map(|said| said.answer)));
        }
    }
    Ok(Some(Value::Object(message)))
}

fn key(run: WorkflowRunId) -> String {
    format!("dify_rs:run:webhook:{run}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_signed_with_their_time() {
        let expected = "t=7,v1=76aad9429f417882918162a1928a38769fff65cc07b6bfa344ac9c5fb1e3448e";
        assert_eq!(signature("secret", 7, "{}"), expected);
    }
}
