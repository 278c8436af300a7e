//! Which knowledge bases there are, and who sees them.

use std::collections::HashSet;

use boxed::boxed;
use db::{
    PgConnection,
    dataset::detail::{self as rows, DatasetFilter, DatasetPage, Sight},
};
pub use db::{
    dataset::detail::{DatasetDetail, MetadataField},
    tag_binding::BoundTag,
};
use model_runtime::{ModelType, ProviderId};
use services_account::session::{Role, SignedIn};
use services_core::{Ctx, Failure, Fault};
use services_model::{Models, catalog};
use types::{DatasetId, Limit, Page, TenantId};
use uuid::Uuid;

/// Entries of a page at the most, however many are asked for.
const LONGEST_PAGE: i64 = 100;

/// Entries of a page when none are asked for.
const USUAL_PAGE: i64 = 20;

/// Why a knowledge base is not shown.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The workspace has none with that id.
    #[error("Dataset not found")]
    NotFound,
    /// It is not for this account.
    #[error("You do not have permission to access this dataset.")]
    NoPermission,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for DatasetError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for DatasetError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::NoPermission => 403,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NoPermission => "forbidden",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The knowledge bases that are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// These, whoever may see them otherwise: apps use them for everybody. Nothing else counts then.
    pub ids: Vec<String>,
    /// Part of the name.
    pub keyword: Option<String>,
    /// Only those with one of these tags.
    pub tags: Vec<String>,
    /// All there are, if the owner asks.
    pub include_all: bool,
}

/// A knowledge base as it is shown.
#[derive(Debug)]
pub struct Shown {
    /// The row and what belongs to it; its embedding provider by its full id.
    pub dataset: DatasetDetail,
    /// Its tags.
    pub tags: Vec<BoundTag>,
    /// The fields its documents carry, without those every document has.
    pub fields: Vec<MetadataField>,
    /// Whether its vectors can be made.
    pub embedding_available: bool,
}

/// A page of the knowledge bases that are asked for, newest first.
///
/// # Errors
/// The database's and the model catalogue's.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    models: &Models,
    user: &SignedIn,
    wish: &Wish,
    asked: Limit,
) -> Result<Page<Shown>, DatasetError> {
    let mut conn = ctx.db.acquire().await?;
    let (total, ids) = if wish.ids.is_empty() {
        let page = visible(&mut conn, user, wish, asked).await?;
        (Some(page.total), page.ids)
    } else {
        (None, ids(&wish.ids))
    };
    let rows = read(&mut conn, user.tenant, &ids).await?;
    drop(conn);
    let data = with_models(models, user.tenant, rows).await?;
    let shown = i64::try_from(data.len()).unwrap_or(i64::MAX);
    Ok(Page {
        page: asked.page,
        limit: asked.limit,
        total: total.unwrap_or(shown),
        has_more: shown == asked.limit,
        data,
    })
}

/// A page of what the account sees.
async fn visible(
    conn: &mut PgConnection,
    user: &SignedIn,
    wish: &Wish,
    asked: Limit,
) -> Result<DatasetPage, DatasetError> {
    let limit = if asked.limit < 1 { USUAL_PAGE } else { asked.limit.min(LONGEST_PAGE) };
    let window = Limit { page: asked.page.max(1), limit };
    let pattern = wish.keyword.as_deref().filter(|k| !k.is_empty()).map(db::like::containing);
    let tags = ids(&wish.tags);
    let filter = DatasetFilter {
        tenant: user.tenant,
        sight: match user.role {
            Role::DatasetOperator => Sight::Operator(user.account.id),
            Role::Owner if wish.include_all => Sight::All,
            _ => Sight::Member(user.account.id),
        },
        pattern: pattern.as_deref(),
        tags: (!wish.tags.is_empty()).then_some(tags.as_slice()),
    };
    Ok(rows::page(conn, filter, window).await?)
}

/// What is no id is nobody's.
fn ids(texts: &[String]) -> Vec<Uuid> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// A knowledge base an account sees.
///
/// # Errors
/// [`DatasetError::NotFound`], [`DatasetError::NoPermission`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    models: &Models,
    user: &SignedIn,
    id: DatasetId,
) -> Result<Shown, DatasetError> {
    let mut conn = ctx.db.acquire().await?;
    let rows = read(&mut conn, user.tenant, &[id.0]).await?;
    drop(conn);
    let row = rows.datasets.first().ok_or(DatasetError::NotFound)?;
    if !may_see(user, row) {
        return Err(DatasetError::NoPermission);
    }
    with_models(models, user.tenant, rows).await?.pop().ok_or(DatasetError::NotFound)
}

fn may_see(user: &SignedIn, dataset: &DatasetDetail) -> bool {
    user.role == Role::Owner
        || dataset.created_by == user.account.id.0
        || match dataset.permission.as_str() {
            "only_me" => false,
            "partial_members" => dataset.members.contains(&user.account.id.0),
            _ => true,
        }
}

struct Rows {
    datasets: Vec<DatasetDetail>,
    tags: Vec<BoundTag>,
    fields: Vec<MetadataField>,
}

async fn read(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Rows, DatasetError> {
    if ids.is_empty() {
        return Ok(Rows { datasets: Vec::new(), tags: Vec::new(), fields: Vec::new() });
    }
    Ok(Rows {
        datasets: rows::details(conn, tenant, ids).await?,
        tags: db::tag_binding::of_targets(conn, tenant, "knowledge", ids).await?,
        fields: rows::metadata_fields(conn, tenant, ids).await?,
    })
}

/// Says of each knowledge base whether the model of its vectors can be used, and puts everything together.
async fn with_models(
    models: &Models,
    tenant: TenantId,
    rows: Rows,
) -> Result<Vec<Shown>, DatasetError> {
    let Rows { mut datasets, tags, fields } = rows;
    for dataset in &mut datasets {
        let provider = dataset.embedding_model_provider.as_deref();
        if let Some(Ok(id)) = provider.map(ProviderId::model) {
            dataset.embedding_model_provider = Some(id.to_string());
        }
    }
    let usable = if datasets.iter().any(wants_vectors) {
        embedding_models(models, tenant).await?
    } else {
        HashSet::new()
    };
    let shown = datasets.into_iter().map(|dataset| {
        let model = (
            dataset.embedding_model_provider.clone().unwrap_or_default(),
            dataset.embedding_model.clone().unwrap_or_default(),
        );
        Shown {
            tags: tags.iter().filter(|tag| tag.target_id == dataset.id.0).cloned().collect(),
            fields: fields.iter().filter(|field| field.dataset_id == dataset.id).cloned().collect(),
            embedding_available: !wants_vectors(&dataset) || usable.contains(&model),
            dataset,
        }
    });
    Ok(shown.collect())
}

fn wants_vectors(dataset: &DatasetDetail) -> bool {
    dataset.indexing_technique.as_deref() == Some("high_quality")
}

/// Provider and name of the embedding models a workspace can use.
async fn embedding_models(
    models: &Models,
    tenant: TenantId,
) -> Result<HashSet<(String, String)>, DatasetError> {
    let usable =
        catalog::usable(models, tenant, ModelType::TextEmbedding).await.map_err(|err| {
            DatasetError::Fault(Fault::caused("the models of the workspace are not known", err))
        })?;
    let named = usable.into_iter().flat_map(|found| {
        let provider = found.provider.schema().provider.clone();
        found.models.into_iter().map(move |model| (provider.clone(), model.schema.model.clone()))
    });
    Ok(named.collect())
}
