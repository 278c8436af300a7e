//! Keeping APIs, and trying them.

use boxed::boxed;
use db::tool_api_provider::{self, ApiContent as Row, ApiProvider};
use plugin::entity::I18n;
use serde_json::{Map, Value, json};
use types::{AccountId, TenantId, pyjson};

use super::{
    call::unmasked,
    form::Auth,
    schema::{self, Bundle, Parsed},
};
use crate::{
    ToolError,
    builtin::Tools,
    label, secret,
    view::{ProviderView, ToolView, plain_icon},
};

/// The kind of provider in labels.
const KIND: &str = "api";
/// Operations of one API.
const MOST: usize = 100;

/// What a user says of an API.
#[derive(Debug, Clone)]
pub struct ApiContent {
    /// Its name.
    pub name: String,
    /// `{content, background}`.
    pub icon: Map<String, Value>,
    /// `auth_type` and what belongs to it.
    pub credentials: Map<String, Value>,
    /// The document.
    pub schema: String,
    /// A link or text.
    pub privacy_policy: Option<String>,
    /// Shown to users.
    pub custom_disclaimer: String,
    /// Its labels.
    pub labels: Vec<String>,
}

/// An API as its settings show it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct ApiView {
    pub schema_type: String,
    pub schema: String,
    pub tools: Vec<Bundle>,
    pub icon: Value,
    pub description: String,
    /// Secrets masked.
    pub credentials: Map<String, Value>,
    pub privacy_policy: Option<String>,
    pub custom_disclaimer: String,
    pub labels: Vec<String>,
}

fn not_added(name: &str) -> ToolError {
    ToolError::Invalid(format!("you have not added provider {name}"))
}

fn exists(name: &str) -> ToolError {
    ToolError::Invalid(format!("provider {name} already exists"))
}

pub(super) fn bundles(row: &ApiProvider) -> Vec<Bundle> {
    match serde_json::from_str(&row.tools_str) {
        Ok(bundles) => bundles,
        Err(error) => {
            tracing::warn!(%error, provider.id = %row.id, "the tools of an API do not read");
            Vec::new()
        }
    }
}

fn icon(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| plain_icon())
}

/// A schema read for keeping.
fn kept(content: &ApiContent, environment: Option<&str>) -> Result<Parsed, ToolError> {
    let parsed = schema::parse(&content.schema, environment)?;
    if MOST < parsed.bundles.len() {
        return Err(ToolError::invalid("the number of apis should be less than 100"));
    }
    Ok(parsed)
}

impl Tools {
    /// Keeps an API.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a name that is taken, a schema that does not read, credentials of no known kind.
    #[boxed]
    pub async fn create_api(
        &self,
        tenant: TenantId,
        user: AccountId,
        content: ApiContent,
        environment: Option<&str>,
    ) -> Result<(), ToolError> {
        let name = content.name.trim().to_owned();
        {
            let mut conn = self.ctx.db.acquire().await?;
            if tool_api_provider::find_by_name(&mut conn, tenant, &name).await?.is_some() {
                return Err(exists(&name));
            }
        }
        let parsed = kept(&content, environment)?;
        let auth = Auth::of(&content.credentials)?;
        let credentials =
            secret::seal(&self.ctx, tenant, auth.secrets(), content.credentials.clone()).await?;
        let texts = Texts::of(&parsed, &content, &credentials)?;
        let row = texts.row(&name, &parsed, &content, self.ctx.now_naive());
        let mut tx = self.ctx.db.begin().await?;
        let id = match tool_api_provider::insert(&mut tx, tenant, user, row).await {
            Ok(id) => id,
            Err(err) if err.is_unique_violation() => return Err(exists(&name)),
            Err(err) => return Err(err.into()),
        };
        let labels = label::known(&content.labels);
        db::tool_label::replace(&mut tx, KIND, &id.to_string(), &labels).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Changes an API. A secret that arrives masked as it was shown stays.
    ///
    /// # Errors
    /// As [`Tools::create_api`], and for one that is gone.
    #[boxed]
    pub async fn update_api(
        &self,
        tenant: TenantId,
        original: &str,
        content: ApiContent,
        environment: Option<&str>,
    ) -> Result<(), ToolError> {
        let name = content.name.trim().to_owned();
        let known = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_api_provider::find_by_name(&mut conn, tenant, original).await?
        };
        let Some(known) = known else {
            return Err(ToolError::Invalid(format!("api provider {name} does not exists")));
        };
        let parsed = kept(&content, environment)?;
        let auth = Auth::of(&content.credentials)?;
        let stored = secret::parsed(Some(&known.credentials_str));
        let stored = secret::open(&self.ctx, tenant, auth.secrets(), stored).await?;
        let given = unmasked(content.credentials.clone(), stored, auth.secrets());
        let credentials = secret::seal(&self.ctx, tenant, auth.secrets(), given).await?;
        let texts = Texts::of(&parsed, &content, &credentials)?;
        let row = texts.row(&name, &parsed, &content, self.ctx.now_naive());
        {
            let mut tx = self.ctx.db.begin().await?;
            match tool_api_provider::update(&mut tx, tenant, known.id, row).await {
                Ok(()) => {}
                Err(err) if err.is_unique_violation() => return Err(exists(&name)),
                Err(err) => return Err(err.into()),
            }
            let labels = label::known(&content.labels);
            db::tool_label::replace(&mut tx, KIND, &known.id.to_string(), &labels).await?;
            tx.commit().await?;
        }
        // Where the reference keeps them decrypted.
        let key = format!("api_credentials:tenant_id:{tenant}:id:api.{}", known.id);
        self.ctx.redis.del(&[&key]).await?;
        Ok(())
    }

    /// Forgets an API.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone.
    #[boxed]
    pub async fn delete_api(&self, tenant: TenantId, name: &str) -> Result<(), ToolError> {
        let mut tx = self.ctx.db.begin().await?;
        let known = tool_api_provider::find_by_name(&mut tx, tenant, name).await?;
        let known = known.ok_or_else(|| not_added(name))?;
        tool_api_provider::delete(&mut tx, tenant, known.id).await?;
        db::tool_label::replace(&mut tx, KIND, &known.id.to_string(), &[]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The settings of an API.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone.
    #[boxed]
    pub async fn find_api(&self, tenant: TenantId, name: &str) -> Result<ApiView, ToolError> {
        let (row, labels) = self.api_row(tenant, name).await?;
        let stored = secret::parsed(Some(&row.credentials_str));
        let secrets = Auth::of_stored(&stored).secrets();
        let plain = secret::open(&self.ctx, tenant, secrets, stored).await?;
        Ok(ApiView {
            tools: bundles(&row),
            credentials: secret::masked(secrets, plain),
            icon: icon(&row.icon),
            schema_type: row.schema_type_str,
            schema: row.schema,
            description: row.description,
            privacy_policy: row.privacy_policy,
            custom_disclaimer: row.custom_disclaimer,
            labels,
        })
    }

    /// The tools of an API.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for one that is gone.
    #[boxed]
    pub async fn api_tools(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Vec<ToolView>, ToolError> {
        let (row, labels) = self.api_row(tenant, name).await?;
        Ok(bundles(&row).iter().map(|bundle| view(bundle, &labels)).collect())
    }

    async fn api_row(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<(ApiProvider, Vec<String>), ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        let row = tool_api_provider::find_by_name(&mut conn, tenant, name).await?;
        let row = row.ok_or_else(|| not_added(name))?;
        let id = row.id.to_string();
        let mut labels = label::of(&mut conn, KIND, std::slice::from_ref(&id)).await?;
        Ok((row, labels.remove(&id).unwrap_or_default()))
    }

    /// All APIs of a workspace.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn api_views(
        &self,
        tenant: TenantId,
        with_tools: bool,
    ) -> Result<Vec<ProviderView>, ToolError> {
        let (rows, mut labels, authors) = {
            let mut conn = self.ctx.db.acquire().await?;
            let rows = tool_api_provider::list(&mut conn, tenant).await?;
            let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            let labels = label::of(&mut conn, KIND, &ids).await?;
            let users: Vec<_> = rows.iter().map(|row| row.user_id).collect();
            let authors = db::creator::accounts(&mut conn, &users).await?;
            (rows, labels, authors)
        };
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id.to_string();
            let labels = labels.remove(&id).unwrap_or_default();
            let author = authors.iter().find(|it| it.id.0 == row.user_id);
            let mut masked = Map::new();
            let mut tools = Vec::new();
            if with_tools {
                let stored = secret::parsed(Some(&row.credentials_str));
                let secrets = Auth::of_stored(&stored).secrets();
                let plain = secret::open(&self.ctx, tenant, secrets, stored).await?;
                masked = secret::masked(secrets, plain);
                tools = bundles(&row).iter().map(|bundle| view(bundle, &labels)).collect();
            }
            views.push(ProviderView {
                id,
                author: author.map_or_else(|| "Anonymous".to_owned(), |it| it.name.clone()),
                description: I18n::same(row.description),
                icon: icon(&row.icon),
                icon_dark: Value::from(""),
                label: I18n::same(row.name.as_str()),
                name: row.name,
                kind: KIND,
                masked_credentials: masked,
                is_team_authorization: true,
                allow_delete: true,
                plugin_id: None,
                plugin_unique_identifier: None,
                tools,
                labels,
                mcp: None,
                workflow_app_id: None,
            });
        }
        Ok(views)
    }
}

/// An operation as a tool.
fn view(bundle: &Bundle, labels: &[String]) -> ToolView {
    ToolView {
        author: bundle.author.clone(),
        name: bundle.name().to_owned(),
        label: I18n::same(bundle.name()),
        description: I18n::same(bundle.summary.clone().unwrap_or_default()),
        parameters: bundle.parameters.clone().unwrap_or_default(),
        labels: labels.to_vec(),
        output_schema: json!({}),
    }
}

/// The JSON texts of a row.
struct Texts {
    tools: String,
    icon: String,
    credentials: String,
}

impl Texts {
    fn of(
        parsed: &Parsed,
        content: &ApiContent,
        credentials: &Map<String, Value>,
    ) -> Result<Self, ToolError> {
        Ok(Self {
            tools: pyjson::dumps(&parsed.bundles)?,
            icon: pyjson::dumps(&content.icon)?,
            credentials: pyjson::dumps(credentials)?,
        })
    }

    fn row<'a>(
        &'a self,
        name: &'a str,
        parsed: &'a Parsed,
        content: &'a ApiContent,
        now: chrono::NaiveDateTime,
    ) -> Row<'a> {
        Row {
            name,
            schema: &content.schema,
            schema_type: "openapi",
            tools: &self.tools,
            icon: &self.icon,
            credentials: &self.credentials,
            description: &parsed.description,
            privacy_policy: content.privacy_policy.as_deref(),
            custom_disclaimer: &content.custom_disclaimer,
            now,
        }
    }
}
