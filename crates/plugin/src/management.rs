//! Plugins of a workspace: listing, installing, upgrading, removing.

use boxed::boxed;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use model_runtime::ProviderId;
use net::multipart::{Form, Part};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::Daemon,
    entity::{I18n, PluginDeclaration, PluginInstallation, or_default},
    error::DaemonError,
};

/// A page of installed plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginList {
    /// The plugins.
    #[serde(deserialize_with = "or_default")]
    pub list: Vec<PluginInstallation>,
    /// How many there are on all pages.
    pub total: i64,
}

/// Installing started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallStarted {
    /// There was nothing to do.
    pub all_installed: bool,
    /// The task.
    pub task_id: String,
}

/// An installation under way or done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallTask {
    /// Id.
    pub id: String,
    /// When it began.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub updated_at: DateTime<Utc>,
    /// `pending`, `running`, `success` or `failed`.
    pub status: String,
    /// Plugins to install.
    pub total_plugins: i64,
    /// Plugins installed.
    pub completed_plugins: i64,
    /// State of each.
    #[serde(deserialize_with = "or_default")]
    pub plugins: Vec<InstallTaskPlugin>,
}

/// State of a plugin in an [`InstallTask`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallTaskPlugin {
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Its plugin.
    pub plugin_id: String,
    /// `pending`, `running`, `success` or `failed`.
    pub status: String,
    /// What happened.
    pub message: String,
    /// File name of the icon.
    pub icon: String,
    /// Name to show.
    pub labels: I18n,
    /// Where it comes from.
    #[serde(default)]
    pub source: Option<String>,
}

/// A package taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodedPackage {
    /// Its identifier.
    pub unique_identifier: String,
    /// What it says of itself.
    pub manifest: PluginDeclaration,
    /// Who checked it.
    #[serde(default)]
    pub verification: Option<Verification>,
}

/// Who checked a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// `langgenius`, `partner` or `community`.
    pub authorized_category: String,
}

/// A plugin that a bundle needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleDependency {
    /// `github`, `marketplace` or `package`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is, or what it is.
    pub value: BundleValue,
}

/// Where a plugin of a bundle is, or what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BundleValue {
    /// In the bundle itself.
    Package {
        /// Its identifier.
        unique_identifier: String,
        /// What it says of itself.
        manifest: Box<PluginDeclaration>,
    },
    /// Elsewhere.
    Elsewhere(Map<String, Value>),
}

/// A plugin that is not installed, or in another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPlugin {
    /// The package asked for.
    pub plugin_unique_identifier: String,
    /// The package installed instead.
    #[serde(default)]
    pub current_identifier: Option<String>,
}

impl Daemon {
    /// A page of installed plugins, newest first; pages count from 1 and hold up to 256.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_plugins(
        &self,
        tenant: TenantId,
        page: u32,
        page_size: u32,
    ) -> Result<PluginList, DaemonError> {
        let (page, size) = (page.to_string(), page_size.to_string());
        let query = [("page", page.as_str()), ("page_size", &size), ("response_type", "paged")];
        let mut listed: PluginList = self.get(tenant, "management/list", &query).await?;
        for plugin in &mut listed.list {
            if let Some(tool) = &mut plugin.declaration.said.tool {
                tool.plugin_id = Some(plugin.plugin_id.clone());
            }
        }
        Ok(listed)
    }

    /// Installations of the named plugins; those that are not installed are left out.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_installations(
        &self,
        tenant: TenantId,
        plugin_ids: &[String],
    ) -> Result<Vec<PluginInstallation>, DaemonError> {
        let body = json!({ "plugin_ids": plugin_ids });
        self.post(tenant, "management/installation/fetch/batch", &body).await
    }

    /// Which of the packages are not installed.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_missing(
        &self,
        tenant: TenantId,
        identifiers: &[String],
    ) -> Result<Vec<MissingPlugin>, DaemonError> {
        let body = json!({ "plugin_unique_identifiers": identifiers });
        self.post(tenant, "management/installation/missing", &body).await
    }

    /// Which of the tool providers are installed, in their order.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn have_tools(
        &self,
        tenant: TenantId,
        providers: &[ProviderId],
    ) -> Result<Vec<bool>, DaemonError> {
        let ids: Vec<Value> = providers
            .iter()
            .map(|id| json!({"plugin_id": id.plugin_id(), "provider_name": id.provider_name()}))
            .collect();
        self.post(tenant, "management/tools/check_existence", &json!({ "provider_ids": ids })).await
    }

    /// What a plugin says of itself.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn find_manifest(
        &self,
        tenant: TenantId,
        identifier: &str,
    ) -> Result<PluginDeclaration, DaemonError> {
        let query = [("plugin_unique_identifier", identifier)];
        self.get(tenant, "management/fetch/manifest", &query).await
    }

    /// Whether the daemon has the package.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn has_package(
        &self,
        tenant: TenantId,
        identifier: &str,
    ) -> Result<bool, DaemonError> {
        let query = [("plugin_unique_identifier", identifier)];
        self.get(tenant, "management/fetch/identifier", &query).await
    }

    /// A plugin's description in a language, as Markdown; empty if it has none.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn find_readme(
        &self,
        tenant: TenantId,
        identifier: &str,
        language: &str,
    ) -> Result<String, DaemonError> {
        #[derive(Deserialize)]
        struct Readme {
            content: String,
        }
        let tenant_text = tenant.to_string();
        let query = [
            ("tenant_id", tenant_text.as_str()),
            ("plugin_unique_identifier", identifier),
            ("language", language),
        ];
        match self.get::<Readme>(tenant, "management/fetch/readme", &query).await {
            Ok(readme) => Ok(readme.content),
            Err(DaemonError::Status { status: 404, .. }) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// A package that the daemon has, taken apart.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn decode_package(
        &self,
        tenant: TenantId,
        identifier: &str,
    ) -> Result<DecodedPackage, DaemonError> {
        let path = "management/decode/from_identifier";
        // A GET with a body: the daemon reads it there.
        let call = self
            .call(Method::GET, tenant, path)
            .json(&json!({ "plugin_unique_identifier": identifier }));
        self.unary(call, tenant, path).await
    }

    /// Gives the daemon a package.
    ///
    /// # Errors
    /// When it is none, or its signature is required and missing.
    #[boxed]
    pub async fn upload_package(
        &self,
        tenant: TenantId,
        package: Bytes,
        verify_signature: bool,
    ) -> Result<DecodedPackage, DaemonError> {
        let path = "management/install/upload/package";
        let form = upload("dify_pkg", package, verify_signature);
        let call = self.call(Method::POST, tenant, path).multipart(form);
        self.unary(call, tenant, path).await
    }

    /// Gives the daemon a bundle of packages.
    ///
    /// # Errors
    /// When it is none, or its signature is required and missing.
    #[boxed]
    pub async fn upload_bundle(
        &self,
        tenant: TenantId,
        bundle: Bytes,
        verify_signature: bool,
    ) -> Result<Vec<BundleDependency>, DaemonError> {
        let path = "management/install/upload/bundle";
        let form = upload("dify_bundle", bundle, verify_signature);
        let call = self.call(Method::POST, tenant, path).multipart(form);
        self.unary(call, tenant, path).await
    }

    /// Installs packages that the daemon has; `metas` are details of the source, one a package.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn install(
        &self,
        tenant: TenantId,
        identifiers: &[String],
        source: &str,
        metas: &[Value],
    ) -> Result<InstallStarted, DaemonError> {
        let body = json!({
            "plugin_unique_identifiers": identifiers, "source": source, "metas": metas,
        });
        self.post(tenant, "management/install/identifiers", &body).await
    }

    /// Replaces one package by another.
    ///
    /// # Errors
    /// When the first is not installed.
    #[boxed]
    pub async fn upgrade(
        &self,
        tenant: TenantId,
        original: &str,
        new: &str,
        source: &str,
        meta: &Value,
    ) -> Result<InstallStarted, DaemonError> {
        let body = json!({
            "original_plugin_unique_identifier": original, "new_plugin_unique_identifier": new,
            "source": source, "meta": meta,
        });
        self.post(tenant, "management/install/upgrade", &body).await
    }

    /// Removes a plugin by the id of its installation.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn uninstall(
        &self,
        tenant: TenantId,
        installation_id: &str,
    ) -> Result<bool, DaemonError> {
        let body = json!({ "plugin_installation_id": installation_id });
        self.post(tenant, "management/uninstall", &body).await
    }

    /// A page of installations under way or done.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_install_tasks(
        &self,
        tenant: TenantId,
        page: u32,
        page_size: u32,
    ) -> Result<Vec<InstallTask>, DaemonError> {
        let (page, size) = (page.to_string(), page_size.to_string());
        let query = [("page", page.as_str()), ("page_size", &size)];
        self.get(tenant, "management/install/tasks", &query).await
    }

    /// An installation under way or done.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn find_install_task(
        &self,
        tenant: TenantId,
        task: &str,
    ) -> Result<InstallTask, DaemonError> {
        let path = format!("management/install/tasks/{}", segment(task));
        self.get(tenant, &path, &[]).await
    }

    /// Forgets an installation, or one plugin of it.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn delete_install_task(
        &self,
        tenant: TenantId,
        task: &str,
        identifier: Option<&str>,
    ) -> Result<bool, DaemonError> {
        let mut path = format!("management/install/tasks/{}/delete", segment(task));
        if let Some(identifier) = identifier {
            path.push('/');
            // Identifiers hold slashes, which belong to the path here.
            path.push_str(&identifier.split('/').map(segment).collect::<Vec<_>>().join("/"));
        }
        self.unary(self.call(Method::POST, tenant, &path), tenant, &path).await
    }

    /// Forgets all installations.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn delete_install_tasks(&self, tenant: TenantId) -> Result<bool, DaemonError> {
        let path = "management/install/tasks/delete_all";
        self.unary(self.call(Method::POST, tenant, path), tenant, path).await
    }

    /// The key that plugins under development connect with.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn debugging_key(&self, tenant: TenantId) -> Result<String, DaemonError> {
        #[derive(Deserialize)]
        struct Key {
            key: String,
        }
        let path = "debugging/key";
        let key: Key = self.unary(self.call(Method::POST, tenant, path), tenant, path).await?;
        Ok(key.key)
    }
}

fn upload(name: &'static str, data: Bytes, verify_signature: bool) -> Form {
    let length = data.len() as u64;
    let mut headers = http::HeaderMap::new();
    headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/octet-stream"),
    );
    let part = Part::stream_with_length(data, length).file_name(name).headers(headers);
    Form::new().part(name, part).text("verify_signature", verify_signature.to_string())
}

/// A text as one part of a path, whatever it holds.
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // A lone dot or two would be taken for a step in the path.
    if out.bytes().all(|byte| byte == b'.') { out.replace('.', "%2E") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_part_of_a_path() {
        assert_eq!(segment("a/../b?c#d"), "a%2F..%2Fb%3Fc%23d");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("org.x:1.0@ab"), "org.x:1.0@ab");
    }
}
