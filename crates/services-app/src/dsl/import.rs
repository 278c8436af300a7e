//! Reading an app from a text.

use boxed::boxed;
use db::{
    account::Account,
    app::{App, AppChanges, NewApp},
    workflow::{DraftChanges, NewDraft},
};
use serde_json::Value;
use services_core::{Ctx, Fault};
use types::{AppId, TenantId};
use uuid::Uuid;

use super::{
    DslError, Export, dependency, export, features, graph,
    pending::{self, Pending},
    source,
    variables::{self, Scope},
    version::{Fit, Version},
};
use crate::{
    app::born,
    json::{Object, dumps, has, text, truthy},
    mode::AppMode,
    model_config::{rows, used_datasets},
    ports::{PluginDependency, Ports, marketplace},
    yaml,
};

/// Texts up to this version do not name their plugins.
const NAMELESS: &str = "0.1.5";

/// A text to import.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// `yaml-content` or `yaml-url`.
    pub mode: String,
    /// The text.
    pub yaml_content: Option<String>,
    /// Where the text is.
    pub yaml_url: Option<String>,
    /// What replaces the text's own.
    pub overrides: Overrides,
    /// The app to replace.
    pub app: Option<AppId>,
}

/// What replaces a text's own name and looks.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "fields of an app")]
pub struct Overrides {
    pub name: Option<String>,
    pub description: Option<String>,
    pub icon_type: Option<String>,
    pub icon: Option<String>,
    pub icon_background: Option<String>,
}

/// How an import went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The app is there.
    Completed,
    /// The app is there; the text was of an older minor version.
    CompletedWithWarnings,
    /// The user has to confirm ([`confirm`]).
    Pending,
    /// There is no app; see [`Imported::error`].
    Failed,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::CompletedWithWarnings => "completed-with-warnings",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// An import and how it went.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The import.
    pub id: String,
    /// How it went.
    pub status: Status,
    /// The app.
    pub app: Option<AppId>,
    /// The app's mode.
    pub mode: Option<String>,
    /// Version of the text.
    pub version: String,
    /// Why it failed.
    pub error: String,
}

impl Imported {
    fn failed(id: String, error: impl Into<String>) -> Self {
        Self {
            id,
            status: Status::Failed,
            app: None,
            mode: None,
            version: String::new(),
            error: error.into(),
        }
    }
}

/// Imports a text. That it fails is a result, not an error.
///
/// # Errors
/// [`DslError::Invalid`] for a mode that is none; faults.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn import(
    ctx: &Ctx,
    tenant: TenantId,
    by: &Account,
    cmd: Import,
) -> Result<Imported, DslError> {
    let id = Uuid::new_v4().to_string();
    let given = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    let content = match cmd.mode.as_str() {
        "yaml-content" => match given(cmd.yaml_content.as_ref()) {
            Some(content) => Ok(content),
            None => Err("yaml_content is required when import_mode is yaml-content".to_owned()),
        },
        "yaml-url" => match given(cmd.yaml_url.as_ref()) {
            Some(url) => source::fetch(ctx, &url).await,
            None => Err("yaml_url is required when import_mode is yaml-url".to_owned()),
        },
        other => return Err(DslError::Invalid(format!("Invalid import_mode: {other}"))),
    };
    let done = match content {
        Ok(content) => run(ctx, tenant, by, &id, &cmd, content).await,
        Err(error) => Err(DslError::Invalid(error)),
    };
    settle(id, done)
}

fn settle(id: String, done: Result<Imported, DslError>) -> Result<Imported, DslError> {
    match done {
        Err(DslError::Invalid(error)) => Ok(Imported::failed(id, error)),
        other => other,
    }
}

async fn run(
    ctx: &Ctx,
    tenant: TenantId,
    by: &Account,
    id: &str,
    cmd: &Import,
    content: String,
) -> Result<Imported, DslError> {
    let document = read(&content)?;
    let written = version_text(&document)?;
    let version = Version::parse(&written)
        .ok_or_else(|| DslError::Invalid(format!("Invalid version: '{written}'")))?;
    if !has(&document, "app") {
        return Err(DslError::invalid("Missing app data in YAML content"));
    }
    let old = match cmd.app {
        None => None,
        Some(app) => Some(find_replaceable(ctx, tenant, app).await?),
    };
    let ours = Version::parse(super::VERSION).ok_or_else(|| DslError::invalid("no version"))?;
    let status = match version.fit(&ours) {
        Fit::Same => Status::Completed,
        Fit::Older => Status::CompletedWithWarnings,
        Fit::Ask => {
            let waiting = waiting(cmd, content);
            pending::keep(ctx, id, &waiting).await?;
            return Ok(Imported {
                id: id.to_owned(),
                status: Status::Pending,
                app: cmd.app,
                mode: None,
                version: written,
                error: String::new(),
            });
        }
    };
    let plugins = needed_plugins(ctx, &document, &version).await?;
    let app = write(ctx, tenant, by, old, &document, &cmd.overrides).await?;
    dependency::remember(ctx, app.id, &plugins).await?;
    Ok(Imported {
        id: id.to_owned(),
        status,
        app: Some(app.id),
        mode: Some(app.mode),
        version: written,
        error: String::new(),
    })
}

fn waiting(cmd: &Import, content: String) -> Pending {
    let looks = cmd.overrides.clone();
    Pending {
        import_mode: cmd.mode.clone(),
        yaml_content: content,
        name: looks.name,
        description: looks.description,
        icon_type: looks.icon_type,
        icon: looks.icon,
        icon_background: looks.icon_background,
        app_id: cmd.app,
    }
}

/// Does an import that waited.
///
/// # Errors
/// Faults; everything else is a failed import.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn confirm(
    ctx: &Ctx,
    tenant: TenantId,
    by: &Account,
    id: &str,
) -> Result<Imported, DslError> {
    let Some(waiting) = pending::find(ctx, id).await? else {
        return Ok(Imported::failed(id.to_owned(), "Import information expired or does not exist"));
    };
    let done = confirmed(ctx, tenant, by, id, &waiting).await;
    settle(id.to_owned(), done)
}

async fn confirmed(
    ctx: &Ctx,
    tenant: TenantId,
    by: &Account,
    id: &str,
    waiting: &Pending,
) -> Result<Imported, DslError> {
    let document = read(&waiting.yaml_content)?;
    let version = version_text(&document)?;
    let old = match waiting.app_id {
        None => None,
        Some(app) => Some(find_replaceable(ctx, tenant, app).await?),
    };
    let app = write(ctx, tenant, by, old, &document, &waiting.overrides()).await?;
    pending::forget(ctx, id).await?;
    Ok(Imported {
        id: id.to_owned(),
        status: Status::Completed,
        app: Some(app.id),
        mode: Some(app.mode),
        version,
        error: String::new(),
    })
}

/// A copy of an app, with its secrets.
///
/// # Errors
/// [`DslError::Invalid`] if the app was never configured or drawn.
#[boxed]
pub async fn copy(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    by: &Account,
    overrides: Overrides,
) -> Result<App, DslError> {
    let what = Export { with_secrets: true, workflow: None };
    let content = export(ctx, ports, app, &what).await?;
    let document = read(&content)?;
    write(ctx, app.tenant_id, by, None, &document, &overrides).await
}

fn read(content: &str) -> Result<Object, DslError> {
    match yaml::load(content) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err(DslError::invalid("Invalid YAML format: content must be a mapping")),
        Err(err) => Err(DslError::Invalid(format!("Invalid YAML format: {err}"))),
    }
}

fn version_text(document: &Object) -> Result<String, DslError> {
    match document.get("version") {
        Some(Value::String(version)) if !version.is_empty() => Ok(version.clone()),
        Some(version) if truthy(version) => {
            let kind = crate::json::type_name(version);
            Err(DslError::Invalid(format!(
                "Invalid version type, expected str, got <class '{kind}'>"
            )))
        }
        _ => Ok("0.1.0".to_owned()),
    }
}

async fn find_replaceable(ctx: &Ctx, tenant: TenantId, id: AppId) -> Result<App, DslError> {
    let mut conn = ctx.db.acquire().await?;
    let app = db::app::find(&mut conn, tenant, id)
        .await?
        .ok_or_else(|| DslError::invalid("App not found"))?;
    if app.mode.parse::<AppMode>().is_ok_and(AppMode::has_workflow) {
        return Ok(app);
    }
    Err(DslError::invalid("Only workflow or advanced chat apps can be overwritten"))
}

/// The plugins a text names, or for texts from before they did, those its contents need.
async fn needed_plugins(
    ctx: &Ctx,
    document: &Object,
    version: &Version,
) -> Result<Vec<PluginDependency>, DslError> {
    let named = document.get("dependencies");
    if dependency::are_named(named) {
        return dependency::read(named.unwrap_or(&Value::Null));
    }
    if Version::parse(NAMELESS).is_none_or(|nameless| nameless < *version) {
        return Ok(Vec::new());
    }
    let object =
        |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let plugins = match document.get("workflow") {
        Some(workflow) => dependency::of_graph(&object(workflow.get("graph"))),
        None => dependency::of_config(&object(document.get("model_config"))),
    };
    // That the marketplace is away is no reason not to import.
    Ok(marketplace::latest(ctx, &plugins).await.unwrap_or_else(|err| {
        tracing::warn!(error = %err, "the plugins of an old text are not known");
        Vec::new()
    }))
}

/// Writes the app of a text, new or over `old`, in one transaction: an import that fails leaves nothing behind.
async fn write(
    ctx: &Ctx,
    tenant: TenantId,
    by: &Account,
    old: Option<App>,
    document: &Object,
    overrides: &Overrides,
) -> Result<App, DslError> {
    let none = Object::new();
    let about = document.get("app").and_then(Value::as_object).unwrap_or(&none);
    let mode = match about.get("mode").filter(|mode| truthy(mode)) {
        None => return Err(DslError::invalid("loss app mode")),
        Some(mode) => {
            let word = mode.as_str().map_or_else(|| mode.to_string(), str::to_owned);
            let unknown = |_| DslError::Invalid(format!("'{word}' is not a valid AppMode"));
            word.parse::<AppMode>().map_err(unknown)?
        }
    };
    let looks = Looks::of(about, overrides);
    if mode.has_workflow() {
        let draft = draft(ctx, tenant, mode, document).await?;
        let mut tx = ctx.db.begin().await?;
        let app = match old {
            Some(app) => replace(ctx, &mut tx, by, app, looks).await?,
            None => born(ctx, &mut tx, by, &looks.new_app(ctx, tenant, mode, by)).await?,
        };
        save_draft(ctx, &mut tx, &app, mode, by, &draft).await?;
        tx.commit().await?;
        return Ok(app);
    }
    let config = document.get("model_config").and_then(Value::as_object);
    let config = config.filter(|config| !config.is_empty()).ok_or_else(|| {
        DslError::invalid("Missing model_config for chat/agent-chat/completion app")
    })?;
    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    let app = match old {
        Some(app) => replace(ctx, &mut tx, by, app, looks).await?,
        None => born(ctx, &mut tx, by, &looks.new_app(ctx, tenant, mode, by)).await?,
    };
    if app.app_model_config_id.is_none() {
        let id = db::app_model_config::insert(&mut tx, app.id, &rows(config), by.id, now).await?;
        db::app::set_model_config(&mut tx, tenant, app.id, id, by.id, now).await?;
        db::app_dataset_join::replace(&mut tx, app.id, &used_datasets(config)).await?;
    }
    tx.commit().await?;
    Ok(app)
}

/// Name and looks of an imported app.
struct Looks {
    name: Option<String>,
    description: Option<String>,
    icon_type: String,
    icon: String,
    icon_background: Option<String>,
    use_icon_as_answer_icon: bool,
}

impl Looks {
    fn of(about: &Object, overrides: &Overrides) -> Self {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let own = |key: &str| match about.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let icon_type = given(&overrides.icon_type).or_else(|| own("icon_type"));
        Self {
            name: given(&overrides.name).or_else(|| own("name")),
            description: given(&overrides.description).or_else(|| own("description")),
            icon_type: icon_type
                .filter(|kind| ["emoji", "image", "link"].contains(&kind.as_str()))
                .unwrap_or_else(|| "emoji".to_owned()),
            icon: given(&overrides.icon).or_else(|| own("icon")).unwrap_or_default(),
            icon_background: given(&overrides.icon_background).or_else(|| own("icon_background")),
            use_icon_as_answer_icon: about.get("use_icon_as_answer_icon").is_some_and(truthy),
        }
    }

    fn new_app(self, ctx: &Ctx, tenant: TenantId, mode: AppMode, by: &Account) -> NewApp {
        NewApp {
            id: AppId::random(),
            tenant,
            name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            mode: mode.as_str().to_owned(),
            icon_type: Some(self.icon_type),
            icon: Some(self.icon),
            icon_background: Some(self.icon_background.unwrap_or_else(|| "#FFFFFF".to_owned())),
            enable_site: true,
            enable_api: true,
            api_rpm: 0,
            api_rph: 0,
            is_public: false,
            use_icon_as_answer_icon: self.use_icon_as_answer_icon,
            creator: by.id,
            now: ctx.now_naive(),
        }
    }
}

async fn replace(
    ctx: &Ctx,
    tx: &mut db::PgConnection,
    by: &Account,
    mut app: App,
    looks: Looks,
) -> Result<App, Fault> {
    let changes = AppChanges {
        name: looks.name.unwrap_or(app.name),
        description: looks.description.unwrap_or(app.description),
        icon_type: Some(looks.icon_type),
        icon: looks.icon,
        icon_background: looks
            .icon_background
            .or_else(|| app.icon_background.clone())
            .unwrap_or_default(),
        use_icon_as_answer_icon: app.use_icon_as_answer_icon,
        max_active_requests: app.max_active_requests,
    };
    db::app::update(tx, app.tenant_id, app.id, &changes, by.id, ctx.now_naive()).await?;
    app.name = changes.name;
    app.description = changes.description;
    Ok(app)
}

/// The columns of an imported draft.
struct Draft {
    graph: String,
    features: String,
    environment: String,
    conversation: String,
}

async fn draft(
    ctx: &Ctx,
    tenant: TenantId,
    mode: AppMode,
    document: &Object,
) -> Result<Draft, DslError> {
    let workflow = document.get("workflow").and_then(Value::as_object);
    let workflow = workflow
        .filter(|workflow| !workflow.is_empty())
        .ok_or_else(|| DslError::invalid("Missing workflow data for workflow/advanced chat app"))?;
    let object =
        |key: &str| workflow.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let list = |key: &str| workflow.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut graph = object("graph");
    graph::arrive(&mut graph, tenant);
    refuse_two_starts(&graph)?;
    let mut given = object("features");
    features::fill(mode, &mut given)?;
    let environment = list("environment_variables");
    let conversation = list("conversation_variables");
    Ok(Draft {
        graph: dumps(&Value::Object(graph)),
        features: dumps(&Value::Object(given)),
        environment: variables::column(ctx, tenant, Scope::Environment, &environment).await?,
        conversation: variables::column(ctx, tenant, Scope::Conversation, &conversation).await?,
    })
}

fn refuse_two_starts(graph: &Object) -> Result<(), DslError> {
    let nodes = graph.get("nodes").and_then(Value::as_array);
    let kinds: Vec<&str> = nodes
        .into_iter()
        .flatten()
        .filter_map(|node| node.get("data")?.as_object())
        .filter_map(|data| text(data, "type"))
        .collect();
    let has_start = kinds.contains(&"start");
    if has_start && kinds.iter().any(|kind| kind.starts_with("trigger-")) {
        return Err(DslError::invalid(
            "Start node and trigger nodes cannot coexist in the same workflow",
        ));
    }
    Ok(())
}

async fn save_draft(
    ctx: &Ctx,
    tx: &mut db::PgConnection,
    app: &App,
    mode: AppMode,
    by: &Account,
    draft: &Draft,
) -> Result<(), Fault> {
    let now = ctx.now_naive();
    if db::workflow::find_draft(tx, app.tenant_id, app.id).await?.is_some() {
        let changes = DraftChanges {
            graph: &draft.graph,
            features: &draft.features,
            environment_variables: &draft.environment,
            conversation_variables: &draft.conversation,
            by: by.id,
            now,
        };
        db::workflow::update_draft(tx, app.tenant_id, app.id, &changes).await?;
    } else {
        let new = NewDraft {
            tenant: app.tenant_id,
            app: app.id,
            kind: mode.workflow_type(),
            graph: &draft.graph,
            features: &draft.features,
            environment_variables: &draft.environment,
            conversation_variables: &draft.conversation,
            by: by.id,
            now,
        };
        db::workflow::insert_draft(tx, &new).await?;
    }
    // Values of earlier test runs belong to a graph that is no more.
    db::workflow::delete_draft_variables(tx, app.id).await?;
    Ok(())
}
