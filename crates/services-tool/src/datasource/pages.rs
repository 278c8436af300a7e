//! Pages of Notion that may become documents.

use boxed::boxed;
use std::collections::HashSet;

use futures::StreamExt;
use plugin::datasource::{DatasourceCall, DocumentPage, DocumentWorkspace};
use types::{AccountId, DatasetId, TenantId};
use uuid::Uuid;

use super::{
    CredentialType, DatasourceCredential, OAuthClient, ProviderId, ToolError, Tools, Value, Values,
    datasource_provider, form, id_of, kind_of, secret,
};

/// The provider of Notion's pages, and the name of its source.
const NOTION: (&str, &str) =
    ("langgenius/notion_datasource/notion_datasource", "notion_datasource");

/// What Notion lets us read.
#[derive(Debug, Clone, Default)]
pub struct NotionPages {
    /// The workspace that was told last, without its pages.
    pub workspace: Option<DocumentWorkspace>,
    /// The pages of all workspaces, and whether each is a document already.
    pub pages: Vec<(DocumentPage, bool)>,
}

impl Tools {
    /// The pages a credential opens. With a knowledge base, those that are its documents are marked.
    ///
    /// # Errors
    /// [`ToolError::NotFound`] for a credential or a knowledge base the workspace does not have, and what the plugin says.
    #[boxed]
    pub async fn notion_pages(
        &self,
        tenant: TenantId,
        user: AccountId,
        credential: &str,
        dataset: Option<&str>,
        parameters: &Values,
    ) -> Result<NotionPages, ToolError> {
        let id = id_of(NOTION.0)?;
        let wanted: Option<Uuid> = credential.parse().ok();
        let rows = self.source_rows(tenant).await?;
        let row = rows.into_iter().find(|row| Some(row.id) == wanted);
        let row = row.ok_or_else(|| ToolError::NotFound("Credential not found".to_owned()))?;
        let known = match dataset.filter(|dataset| !dataset.is_empty()) {
            Some(dataset) => self.known_pages(tenant, dataset).await?,
            None => HashSet::new(),
        };
        let credentials = self.source_credential_values(tenant, user, &id, &row).await?;
        let user = user.to_string();
        let call = DatasourceCall {
            tenant,
            user: &user,
            provider: &id,
            datasource: NOTION.1,
            credentials: &credentials,
        };
        let mut told = self.daemon()?.list_document_pages(call, parameters).await?;
        let mut all = NotionPages::default();
        while let Some(workspaces) = told.next().await {
            for mut workspace in workspaces? {
                let pages = std::mem::take(&mut workspace.pages);
                all.pages.extend(pages.into_iter().map(|page| {
                    let is_known = known.contains(&page.page_id);
                    (page, is_known)
                }));
                all.workspace = Some(workspace);
            }
        }
        Ok(all)
    }

    /// Pages that are documents of a knowledge base.
    async fn known_pages(
        &self,
        tenant: TenantId,
        dataset: &str,
    ) -> Result<HashSet<String>, ToolError> {
        let missing = || ToolError::NotFound("Dataset not found".to_owned());
        let id: DatasetId = dataset.parse().map_err(|_| missing())?;
        let mut conn = self.ctx.db.acquire().await?;
        let found = db::dataset::summaries(&mut conn, tenant, &[id.0]).await?;
        let found = found.into_iter().next().ok_or_else(missing)?;
        if found.data_source_type.as_deref() != Some("notion_import") {
            return Err(ToolError::invalid("Dataset is not notion type."));
        }
        let pages = db::dataset::notion_pages(&mut conn, tenant, id).await?;
        Ok(pages.into_iter().collect())
    }

    /// A credential in the clear, renewed if its time is nearly over.
    async fn source_credential_values(
        &self,
        tenant: TenantId,
        user: AccountId,
        id: &ProviderId,
        row: &DatasourceCredential,
    ) -> Result<Values, ToolError> {
        let found = self.find_source(tenant, id).await?;
        let kind = kind_of(row);
        let secrets = secret::secrets(form(&found, kind));
        let stored = row.encrypted_credentials.as_object().cloned().unwrap_or_default();
        let values = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        let until = i64::from(row.expires_at);
        if kind != CredentialType::Oauth2 || until < 0 || self.ctx.now().timestamp() < until - 60 {
            return Ok(values);
        }
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: id,
            redirect_uri: &self.source_redirect_uri(&id.to_string()),
            system_credentials: &self.source_client_params(tenant, id).await?,
        };
        let fresh = self.daemon()?.oauth_refresh(client, &values).await?;
        let sealed = secret::seal(&self.ctx, tenant, &secrets, fresh.credentials.clone()).await?;
        let (sealed, until) = (Value::Object(sealed), i32::try_from(fresh.expires_at));
        let until = Some(until.unwrap_or(i32::MAX));
        let mut conn = self.ctx.db.acquire().await?;
        datasource_provider::update(&mut conn, tenant, row.id, None, Some(&sealed), until, None)
            .await?;
        Ok(fresh.credentials)
    }
}
