//! Chatflows: a question to an app drawn as a graph. Its run is a run like any other, with a message beside it.

mod part;
mod turn;
mod variables;

use std::sync::Arc;

use app_engine::{
    RunError,
    basic::{
        Caller, InvokeFrom as From, Mode,
        config::Features,
        history::{self, Turn as Past},
        moderation,
    },
    ports::{AnnotationMatch, InputVerdict, RunContext},
};
use async_trait::async_trait;
use db::{
    message::{Begun, NewConversation},
    running::Kind,
};
use graph::{Graph, InvokeFrom, SystemVariables, VariablePool, value::object_to_json};
use serde_json::{Map, Value};
use services_conversation::{
    Engine, engine,
    file::rows as file_rows,
    generate::{self, Ask, GenerateError, Started, limit},
    idempotency, record, stop,
};
use services_core::{Ctx, Failure, leases::Held};
use tokio::sync::oneshot;
use types::{ConversationId, MessageId, WorkflowRunId};
use uuid::Uuid;

pub(in crate::run) use turn::{Asked, Ending, SavedTurn, Turn, Waiting};
pub(in crate::run) use variables::Variables;

use super::{
    RunFailure, RunRequest, Runner, Runs, Version, files, icons, inputs, select, task,
    webhook::{self, Hook},
};

/// Answers questions to chatflows with the runs of this process.
pub(super) struct Chatflows(pub(super) Runs);

#[async_trait]
impl engine::Chatflows for Chatflows {
    async fn start(&self, engine: &Engine, ask: Ask) -> Result<Started, GenerateError> {
        let slot = limit::take(engine.ctx(), &ask.app).await?;
        let mut slot = Some(slot);
        let begun = begin(&self.0, engine, ask, &mut slot).await;
        if let (Err(_), Some(slot)) = (&begun, slot) {
            slot.leave().await;
        }
        begun
    }
}

impl std::convert::From<RunFailure> for GenerateError {
    fn from(err: RunFailure) -> Self {
        match err {
            RunFailure::Invalid(why) => Self::Invalid(why),
            RunFailure::Fault(fault) => Self::Fault(fault),
            err => Self::Refused(RunError {
                code: err.code(),
                status: err.status(),
                message: err.to_string(),
            }),
        }
    }
}

/// A question that was looked at.
struct Question {
    asked: Asked,
    version: Version,
    runner: Runner,
    graph: Value,
    inputs: graph::Object,
    system: SystemVariables,
    user_files: Vec<db::message_file::MessageFile>,
}

/// What stands in for a run's answer.
struct Direct {
    text: String,
    annotation: Option<Value>,
}

async fn begin(
    runs: &Runs,
    engine: &Engine,
    mut ask: Ask,
    slot: &mut Option<limit::Slot>,
) -> Result<Started, GenerateError> {
    let ctx = engine.ctx();
    let key = ask.idempotency.take();
    let names = ask.names_conversation;
    let webhook = ask.webhook.take();
    let (app, caller, invoke_from) = (ask.app.clone(), ask.caller, ask.invoke_from);
    let run_id = WorkflowRunId::random();
    let mut question = look_at(runs, engine, ask, run_id).await?;
    let direct = check(engine, &mut question).await?;
    let task = Uuid::new_v4();
    let (tell, answered) = oneshot::channel();
    let workflow_run = direct.is_none().then_some(run_id);
    let begun = question.asked.begun.clone();
    let guard = match direct {
        Some(direct) => {
            let held = ctx.leases().hold(Kind::Message, begun.id.0);
            let begin = record::Begin { message: begun.clone(), files: question.user_files };
            engine.recorder().begin(begin).await?;
            keep_features(ctx, &begun, &question.version).await?;
            note(ctx, task, caller, begun.id, key.as_ref()).await;
            let guard = engine.hub().register(task);
            let run = guard.run().clone();
            let _ = run.owner.set(caller);
            let waiting = Waiting { slot: slot.take(), tell, key };
            let turn = Turn::new(engine, question.asked, Arc::clone(&runs.urls), waiting);
            ctx.spawn(say(engine.clone(), turn, guard, held, direct));
            run
        }
        None => {
            let request = RunRequest {
                app: app.clone(),
                workflow: question.version,
                runner: question.runner,
                invoke_from: of_basic(invoke_from),
                triggered_from: match invoke_from {
                    From::Debugger => "debugging",
                    _ => "app-run",
                },
                inputs: Map::new(),
                files: Vec::new(),
                root: None,
                run_id: Some(run_id),
                call_depth: 0,
            };
            let system = question.system;
            let mut pool =
                VariablePool::new(system.clone(), question.inputs.clone(), runs.urls.clone());
            select::put_environment(ctx, &mut pool, &request.workflow).await?;
            question.asked.variables.put(&mut pool);
            let info = Arc::new(runs.info(&request, run_id));
            let graph = Graph::parse(&question.graph, None, &*runs.nodes.factory(&info))
                .map_err(RunFailure::from)?;
            graph.prepare(&info).await.map_err(RunFailure::from)?;
            let shown = task::shown_inputs(&question.inputs, &system, &*runs.urls);
            let new = task::New {
                owner: runs.owner(&request),
                info,
                graph: Arc::new(graph),
                start: task::Start::New(pool),
                lookup: icons::of(ctx, app.tenant_id, &question.graph).await,
                kept: shown.clone(),
                shown,
                run_id,
                task,
                created_at: ctx.now(),
                request,
                nodes_from: task::WORKFLOW_RUN,
            };
            if let Some(hook) = webhook {
                let hook = Hook::new(app.tenant_id, &hook.url, &hook.secret)?;
                webhook::keep(runs, run_id, &hook).await?;
            }
            let beside = task::Beside { asked: &question.asked, files: &question.user_files };
            let held = task::hold(runs, run_id, Some(begun.id));
            task::insert(runs, &new, Some(beside)).await?;
            note(ctx, task, caller, begun.id, key.as_ref()).await;
            let waiting = Waiting { slot: slot.take(), tell, key };
            let turn = Turn::new(engine, question.asked, Arc::clone(&runs.urls), waiting);
            task::launch(runs, new, Some(turn), held).run
        }
    };
    let started = Started {
        run: guard,
        message: begun.id,
        conversation: begun.conversation_id,
        mode: Mode::Chatflow,
        workflow_run,
        created_at: begun.created_at.and_utc().timestamp(),
        answered,
    };
    // Set once: the run is new.
    let _ = started.run.prefix.set(started.prefix());
    if names && begun.first.is_some() {
        let query = begun.query.clone();
        generate::naming::later(engine, &started.run, app.tenant_id, &begun, query);
    }
    Ok(started)
}

/// Notes whose task it is, and which one answers for a key.
async fn note(
    ctx: &Ctx,
    task: Uuid,
    caller: Caller,
    message: MessageId,
    key: Option<&idempotency::Key>,
) {
    stop::note_owner(ctx, task, caller).await;
    if let Some(key) = key {
        idempotency::begun(ctx, key, task, message).await;
    }
}

async fn keep_features(ctx: &Ctx, begun: &Begun, version: &Version) -> Result<(), GenerateError> {
    if begun.first.is_none() {
        return Ok(());
    }
    let mut conn = ctx.db.acquire().await?;
    let (app, conversation) = (begun.app_id, begun.conversation_id);
    Ok(db::chatflow::keep_features(&mut conn, app, conversation, &version.features).await?)
}

/// Everything about a question that can be wrong, in the reference's order.
async fn look_at(
    runs: &Runs,
    engine: &Engine,
    ask: Ask,
    run_id: WorkflowRunId,
) -> Result<Question, GenerateError> {
    let ctx = engine.ctx();
    let version = match ask.invoke_from {
        From::Debugger => select::draft(ctx, &ask.app).await?,
        _ => select::published(ctx, &ask.app, ask.version.as_deref()).await?,
    };
    let query = ask.query.replace('\0', "");
    if ask.query.is_empty() {
        return Err(GenerateError::Invalid("query is required".to_owned()));
    }
    let conversation = match ask.conversation {
        None => None,
        Some(id) => {
            let owner = generate::owner(ask.caller);
            let mut conn = ctx.db.acquire().await?;
            let found = db::conversation::find_for_run(&mut conn, ask.app.id, id, owner).await?;
            Some(found.ok_or(GenerateError::NoConversation)?.id)
        }
    };
    let runner = runner(ctx, &ask).await?;
    let resolver = files::Resolver::new(ctx, ask.app.tenant_id, &version.features, false);
    let sent: Vec<Value> = ask.files.into_iter().map(Value::Object).collect();
    let files = resolver.system(&sent).await?;
    let graph: Value = serde_json::from_str(&version.graph)
        .map_err(|err| services_core::Fault::caused("a stored graph is no JSON", err))?;
    let inputs = inputs::check(&inputs::declared(&graph), &ask.inputs, &resolver).await?;
    let parent = match ask.invoke_from {
        From::ServiceApi => Some(MessageId(Uuid::nil())),
        _ => ask.parent,
    };
    let dialogue_count = match conversation {
        None => 1,
        Some(conversation) => 1 + turns_before(ctx, ask.app.id, conversation, parent).await?,
    };
    let object: Map<String, Value> = serde_json::from_str(&version.features).unwrap_or_default();
    let mut features = Features::read(&object);
    // Editors want to see where answers come from.
    features.shows_sources |= ask.invoke_from == From::Debugger;
    let variables = Variables::load(ctx, ask.app.id, conversation, &version).await?;
    let now = ctx.now_naive();
    let message = MessageId::ordered();
    let values = object_to_json(&inputs, &*runs.urls);
    let (end_user, account) = match ask.caller {
        Caller::EndUser(id) => (Some(id), None),
        Caller::Account(id) => (None, Some(id)),
    };
    let mut begun = Begun {
        id: message,
        conversation_id: conversation.unwrap_or_else(ConversationId::ordered),
        first: conversation.is_none().then(|| NewConversation {
            name: generate::first_name(&query),
            introduction: generate::introduction(&features.opening_statement, &values),
        }),
        app_id: ask.app.id,
        app_model_config_id: None,
        model_provider: None,
        model_id: None,
        override_model_configs: None,
        mode: ask.app.mode.clone(),
        inputs: serde_json::to_string(&values).unwrap_or_default(),
        query: query.clone(),
        from_source: ask.invoke_from.source(),
        from_end_user_id: end_user,
        from_account_id: account,
        invoke_from: ask.invoke_from.as_str(),
        parent_message_id: parent,
        created_at: now,
        copied: None,
    };
    if ctx.config.own.conversation_store_enabled {
        begun.copied = Some(record::metadata_of(ask.app.tenant_id, &begun));
    }
    let system = SystemVariables {
        files: files.clone(),
        user_id: Some(runner.system_id()),
        app_id: Some(ask.app.id.to_string()),
        workflow_id: Some(version.id.to_string()),
        workflow_run_id: Some(run_id.to_string()),
        query: Some(query),
        conversation_id: Some(begun.conversation_id.to_string()),
        dialogue_count: Some(dialogue_count),
        ..SystemVariables::default()
    };
    let context = RunContext {
        tenant: ask.app.tenant_id,
        app: ask.app.id,
        conversation: begun.conversation_id,
        message,
        user: ask.caller,
        invoke_from: ask.invoke_from,
    };
    let user_files = file_rows(&files, message, ask.caller, now);
    let asked = Asked { context, begun, features, stream: ask.stream, variables };
    Ok(Question { asked, version, runner, graph, inputs, system, user_files })
}

/// Moderation and annotations come before the run: what they say stands in for it.
async fn check(engine: &Engine, question: &mut Question) -> Result<Option<Direct>, GenerateError> {
    let ports = engine.ports();
    let Asked { context, features, begun, .. } = &question.asked;
    let mut query = begun.query.clone();
    if let Some(rule) = &features.moderation {
        let values: Map<String, Value> = serde_json::from_str(&begun.inputs).unwrap_or_default();
        let checked =
            moderation::check_input(&*ports.moderator, context, rule, &values, &query).await?;
        match checked {
            InputVerdict::Clean => {}
            InputVerdict::Preset(text) => return Ok(Some(Direct { text, annotation: None })),
            InputVerdict::Overridden { inputs, query: other } => {
                query = other;
                question.inputs = overridden(&question.inputs, inputs);
                question.system.query = Some(query.clone());
            }
        }
    }
    if query.is_empty() {
        return Ok(None);
    }
    let found = ports.annotations.find(context, &query).await;
    Ok(found
        .map(|AnnotationMatch { reply, answer }| Direct { text: answer, annotation: Some(reply) }))
}

/// The values moderation leaves; files stay as they are.
fn overridden(before: &graph::Object, after: Map<String, Value>) -> graph::Object {
    let mut inputs = before.clone();
    for (name, value) in after {
        let is_plain = inputs.get(&name).is_none_or(|it| !has_files(it));
        if is_plain {
            inputs.insert(name, graph::Value::from_json(value));
        }
    }
    inputs
}

fn has_files(value: &graph::Value) -> bool {
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    items.iter().any(|it| it.as_file().is_some())
}

/// Says what stands in for a run's answer.
async fn say(
    engine: Engine,
    mut turn: Turn,
    guard: app_engine::hub::RunGuard,
    held: Held,
    direct: Direct,
) {
    let run = guard.run();
    let chunk = app_engine::Chunk { kind: app_engine::ChunkKind::Answer, selector: None };
    turn.open(&run.log);
    turn.say(&run.log, &chunk, &direct.text);
    let (row, _) = turn.rows(&Ending::Done, None, direct.annotation.as_ref());
    let recorded = engine.recorder().end(row).await;
    if let Err(err) = &recorded {
        tracing::error!(error = err as &dyn std::error::Error, "an answer was not recorded");
        run.log.push(app_engine::AppEvent::Error(RunError::internal()));
    } else {
        held.settled();
        run.log.push(turn.message_end(None, direct.annotation.clone()));
    }
    turn.close(run.task, Ending::Done, None, direct.annotation, recorded.is_err()).await;
}

/// How many messages lead to a new one with this parent.
async fn turns_before(
    ctx: &Ctx,
    app: types::AppId,
    conversation: ConversationId,
    parent: Option<MessageId>,
) -> Result<i64, GenerateError> {
    let most = i64::try_from(history::MOST).unwrap_or(i64::MAX);
    let mut conn = ctx.db.acquire().await?;
    let rows = db::message::past(&mut conn, app, conversation, most).await?;
    let turns = rows.into_iter().map(|row| Past {
        id: row.id.0,
        parent: row.parent_message_id.map(|parent| parent.0),
        ..Past::default()
    });
    Ok(i64::try_from(history::thread(parent, turns.collect()).len()).unwrap_or(i64::MAX))
}

/// The variables of a conversation that a message goes on in.
pub(in crate::run) async fn stored_variables(
    ctx: &Ctx,
    begun: &Begun,
) -> Result<Variables, services_core::Fault> {
    Variables::of_conversation(ctx, begun.app_id, begun.conversation_id).await
}

/// Who asks, as runs know users.
async fn runner(ctx: &Ctx, ask: &Ask) -> Result<Runner, GenerateError> {
    let gone = || GenerateError::Invalid("User not found".to_owned());
    let mut conn = ctx.db.acquire().await?;
    Ok(match ask.caller {
        Caller::EndUser(id) => {
            let found = db::end_user::find(&mut conn, ask.app.tenant_id, id).await?;
            let user = found.ok_or_else(gone)?;
            Runner::EndUser { id: id.0, session_id: user.session_id }
        }
        Caller::Account(id) => {
            let user = db::account::find(&mut conn, id).await?.ok_or_else(gone)?;
            Runner::Account { id: id.0, name: user.name, email: user.email }
        }
    })
}

fn of_basic(from: From) -> InvokeFrom {
    match from {
        From::ServiceApi => InvokeFrom::ServiceApi,
        From::WebApp => InvokeFrom::WebApp,
        From::Explore => InvokeFrom::Explore,
        From::Debugger => InvokeFrom::Debugger,
    }
}
