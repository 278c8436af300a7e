//! `STORAGE_TYPE` and the variables of each type, turned into an operator's scheme and options.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crate::error::StorageError;

/// `STORAGE_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageType {
    /// `opendal`, the default: `OPENDAL_SCHEME` and `OPENDAL_<SCHEME>_*`.
    OpenDal,
    /// `local`: files under `STORAGE_LOCAL_PATH`.
    Local,
    /// `s3`.
    S3,
    /// `oci-storage`, which speaks S3.
    Oci,
    /// `azure-blob`.
    AzureBlob,
    /// `google-storage`.
    GoogleStorage,
    /// `aliyun-oss`.
    AliyunOss,
    /// `tencent-cos`.
    TencentCos,
    /// `huawei-obs`.
    HuaweiObs,
    /// `volcengine-tos`.
    VolcengineTos,
}

impl StorageType {
    /// The type by its name in `STORAGE_TYPE`.
    ///
    /// # Errors
    /// [`StorageError::Config`] for one that is unknown or not supported.
    pub fn parse(name: &str) -> Result<Self, StorageError> {
        Ok(match name {
            "opendal" => Self::OpenDal,
            "local" => Self::Local,
            "s3" => Self::S3,
            "oci-storage" => Self::Oci,
            "azure-blob" => Self::AzureBlob,
            "google-storage" => Self::GoogleStorage,
            "aliyun-oss" => Self::AliyunOss,
            "tencent-cos" => Self::TencentCos,
            "huawei-obs" => Self::HuaweiObs,
            "volcengine-tos" => Self::VolcengineTos,
            "baidu-obs" | "supabase" | "clickzetta-volume" => {
                return Err(StorageError::Config(format!(
                    "STORAGE_TYPE {name} is not supported by this server; \
                     baidu-obs and supabase can be reached through their S3 interface with STORAGE_TYPE=s3"
                )));
            }
            other => {
                return Err(StorageError::Config(format!("unsupported storage type {other}")));
            }
        })
    }

    /// The feature this type needs, if it is not always built in.
    fn missing_feature(self) -> Option<&'static str> {
        let (name, built) = match self {
            Self::OpenDal | Self::Local | Self::S3 | Self::Oci => return None,
            Self::AzureBlob => ("azure-blob", cfg!(feature = "azure-blob")),
            Self::GoogleStorage => ("google-storage", cfg!(feature = "google-storage")),
            Self::AliyunOss => ("aliyun-oss", cfg!(feature = "aliyun-oss")),
            Self::TencentCos => ("tencent-cos", cfg!(feature = "tencent-cos")),
            Self::HuaweiObs => ("huawei-obs", cfg!(feature = "huawei-obs")),
            Self::VolcengineTos => ("volcengine-tos", cfg!(feature = "volcengine-tos")),
        };
        (!built).then_some(name)
    }
}

/// Where objects are and how patiently they are asked for.
#[derive(Clone)]
pub struct StorageOptions {
    /// OpenDAL's name of the service.
    pub(crate) scheme: String,
    /// OpenDAL's options of the service.
    pub(crate) service: HashMap<String, String>,
    /// Retries of a failed operation, as in the reference.
    pub max_retries: usize,
    /// Longest time for an operation without data (stat, delete).
    pub timeout: Duration,
    /// Longest time for one piece of data.
    pub io_timeout: Duration,
}

impl StorageOptions {
    /// Files below `root`, which is created if missing; relative to the working directory as in the reference.
    #[must_use]
    pub fn local(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref().to_string_lossy().into_owned();
        Self::new("fs", HashMap::from([("root".to_owned(), root)]))
    }

    /// Reads the variables of the process (and of `.env`, the process winning): `STORAGE_TYPE` and what it needs.
    ///
    /// # Errors
    /// [`StorageError::Config`] for an unknown type, one this build has not got, or missing variables.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StorageError> {
        let vars: HashMap<String, String> =
            vars.into_iter().map(|(name, value)| (name.to_ascii_uppercase(), value)).collect();
        let vars = Vars(&vars);
        let kind = StorageType::parse(vars.get("STORAGE_TYPE").unwrap_or("opendal"))?;
        if let Some(feature) = kind.missing_feature() {
            return Err(StorageError::Config(format!(
                "this server was built without the feature {feature} that STORAGE_TYPE={feature} needs"
            )));
        }
        match kind {
            StorageType::OpenDal => Ok(opendal(vars)),
            StorageType::Local => {
                Ok(Self::local(vars.get("STORAGE_LOCAL_PATH").unwrap_or("storage")))
            }
            StorageType::S3 => s3(vars),
            StorageType::Oci => Ok(Self::new(
                "s3",
                pairs(&[
                    ("bucket", Some(vars.need("OCI_BUCKET_NAME")?)),
                    ("endpoint", Some(vars.need("OCI_ENDPOINT")?)),
                    ("region", Some(vars.get("OCI_REGION").unwrap_or("us-east-1"))),
                    ("access_key_id", vars.get("OCI_ACCESS_KEY")),
                    ("secret_access_key", vars.get("OCI_SECRET_KEY")),
                ]),
            )),
            StorageType::AzureBlob => {
                let key = vars.get("AZURE_BLOB_ACCOUNT_KEY");
                Ok(Self::new(
                    "azblob",
                    pairs(&[
                        ("container", Some(vars.need("AZURE_BLOB_CONTAINER_NAME")?)),
                        ("endpoint", Some(vars.need("AZURE_BLOB_ACCOUNT_URL")?)),
                        ("account_name", vars.get("AZURE_BLOB_ACCOUNT_NAME")),
                        ("account_key", key.filter(|key| *key != "managedidentity")),
                    ]),
                ))
            }
            StorageType::GoogleStorage => Ok(Self::new(
                "gcs",
                pairs(&[
                    ("bucket", Some(vars.need("GOOGLE_STORAGE_BUCKET_NAME")?)),
                    // Both want base64; empty means the machine's own identity.
                    ("credential", vars.get("GOOGLE_STORAGE_SERVICE_ACCOUNT_JSON_BASE64")),
                ]),
            )),
            StorageType::AliyunOss => Ok(Self::new(
                "oss",
                pairs(&[
                    ("bucket", Some(vars.need("ALIYUN_OSS_BUCKET_NAME")?)),
                    ("endpoint", Some(vars.need("ALIYUN_OSS_ENDPOINT")?)),
                    ("access_key_id", vars.get("ALIYUN_OSS_ACCESS_KEY")),
                    ("access_key_secret", vars.get("ALIYUN_OSS_SECRET_KEY")),
                    ("root", vars.get("ALIYUN_OSS_PATH")),
                ]),
            )),
            StorageType::TencentCos => tencent(vars),
            StorageType::HuaweiObs => Ok(Self::new(
                "obs",
                pairs(&[
                    ("bucket", Some(vars.need("HUAWEI_OBS_BUCKET_NAME")?)),
                    ("endpoint", Some(vars.need("HUAWEI_OBS_SERVER")?)),
                    ("access_key_id", vars.get("HUAWEI_OBS_ACCESS_KEY")),
                    ("secret_access_key", vars.get("HUAWEI_OBS_SECRET_KEY")),
                ]),
            )),
            StorageType::VolcengineTos => Ok(Self::new(
                "tos",
                pairs(&[
                    ("bucket", Some(vars.need("VOLCENGINE_TOS_BUCKET_NAME")?)),
                    ("endpoint", Some(vars.need("VOLCENGINE_TOS_ENDPOINT")?)),
                    ("region", Some(vars.need("VOLCENGINE_TOS_REGION")?)),
                    ("access_key_id", Some(vars.need("VOLCENGINE_TOS_ACCESS_KEY")?)),
                    ("secret_access_key", Some(vars.need("VOLCENGINE_TOS_SECRET_KEY")?)),
                ]),
            )),
        }
    }

    fn new(scheme: &str, service: HashMap<String, String>) -> Self {
        Self {
            scheme: scheme.to_owned(),
            service,
            max_retries: 3,
            timeout: Duration::from_secs(30),
            io_timeout: Duration::from_secs(60),
        }
    }
}

impl std::fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The service's options hold keys.
        f.debug_struct("StorageOptions").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
struct Vars<'a>(&'a HashMap<String, String>);

impl<'a> Vars<'a> {
    fn get(self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn need(self, name: &str) -> Result<&'a str, StorageError> {
        self.get(name).ok_or_else(|| StorageError::Config(format!("{name} is not set")))
    }

    fn is_true(self, name: &str) -> bool {
        let value = self.get(name).unwrap_or_default().to_ascii_lowercase();
        matches!(value.as_str(), "true" | "1" | "yes" | "on" | "t" | "y")
    }
}

fn pairs(pairs: &[(&str, Option<&str>)]) -> HashMap<String, String> {
    pairs
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())))
        .collect()
}

/// `OPENDAL_FS_ROOT` becomes option `root` of scheme `fs`, and so on.
fn opendal(vars: Vars<'_>) -> StorageOptions {
    let scheme = vars.get("OPENDAL_SCHEME").unwrap_or("fs").to_ascii_lowercase();
    let prefix = format!("OPENDAL_{}_", scheme.to_ascii_uppercase());
    let mut service: HashMap<String, String> = vars
        .0
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| {
            let option = name.strip_prefix(&prefix)?;
            Some((option.to_ascii_lowercase(), value.clone()))
        })
        .collect();
    if scheme == "fs" {
        service.entry("root".to_owned()).or_insert_with(|| "storage".to_owned());
    }
    StorageOptions::new(&scheme, service)
}

fn s3(vars: Vars<'_>) -> Result<StorageOptions, StorageError> {
    let own_keys = !vars.is_true("S3_USE_AWS_MANAGED_IAM");
    let keyed = |name| vars.get(name).filter(|_| own_keys);
    let endpoint = keyed("S3_ENDPOINT");
    let mut service = pairs(&[
        ("bucket", Some(vars.need("S3_BUCKET_NAME")?)),
        ("region", Some(vars.get("S3_REGION").unwrap_or("us-east-1"))),
        ("endpoint", endpoint),
        ("access_key_id", keyed("S3_ACCESS_KEY")),
        ("secret_access_key", keyed("S3_SECRET_KEY")),
    ]);
    // As boto3: "auto" means virtual hosts at AWS and paths at an endpoint of one's own.
    let virtual_host = match vars.get("S3_ADDRESS_STYLE").unwrap_or("auto") {
        "virtual" => true,
        "path" => false,
        "auto" => endpoint.is_none(),
        other => {
            return Err(StorageError::Config(format!("S3_ADDRESS_STYLE {other} is unknown")));
        }
    };
    service.insert("enable_virtual_host_style".to_owned(), virtual_host.to_string());
    if keyed("S3_ACCESS_KEY").is_some() {
        // Keys are given: looking for others costs seconds on machines without a metadata service.
        service.insert("disable_config_load".to_owned(), "true".to_owned());
    }
    Ok(StorageOptions::new("s3", service))
}

fn tencent(vars: Vars<'_>) -> Result<StorageOptions, StorageError> {
    let scheme = vars.get("TENCENT_COS_SCHEME").unwrap_or("https");
    let host = match vars.get("TENCENT_COS_CUSTOM_DOMAIN") {
        Some(domain) => domain.to_owned(),
        None => format!("cos.{}.myqcloud.com", vars.need("TENCENT_COS_REGION")?),
    };
    let endpoint = format!("{scheme}://{host}");
    Ok(StorageOptions::new(
        "cos",
        pairs(&[
            ("bucket", Some(vars.need("TENCENT_COS_BUCKET_NAME")?)),
            ("endpoint", Some(&endpoint)),
            ("secret_id", vars.get("TENCENT_COS_SECRET_ID")),
            ("secret_key", vars.get("TENCENT_COS_SECRET_KEY")),
        ]),
    ))
}

#[cfg(test)]
mod tests {
    use super::{StorageError, StorageOptions};

    fn from(vars: &[(&str, &str)]) -> Result<StorageOptions, StorageError> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        StorageOptions::from_vars(vars)
    }

    #[test]
    fn files_in_storage_are_the_default() {
        let options = from(&[]).unwrap();
        assert_eq!((options.scheme.as_str(), options.service["root"].as_str()), ("fs", "storage"));
        let vars =
            [("OPENDAL_SCHEME", "fs"), ("OPENDAL_FS_ROOT", "/data"), ("OPENDAL_S3_ROOT", "x")];
        assert_eq!(from(&vars).unwrap().service["root"], "/data");
        let vars = [("STORAGE_TYPE", "local"), ("STORAGE_LOCAL_PATH", "/old")];
        assert_eq!(from(&vars).unwrap().service["root"], "/old");
    }

    #[test]
    fn s3_addresses_as_boto3_does() {
        let with = |more: &[(&str, &str)]| {
            let mut vars = vec![("STORAGE_TYPE", "s3"), ("S3_BUCKET_NAME", "b")];
            vars.extend_from_slice(more);
            from(&vars).unwrap().service
        };
        assert_eq!(with(&[])["enable_virtual_host_style"], "true");
        let own = with(&[("S3_ENDPOINT", "http://minio:9000"), ("S3_ACCESS_KEY", "k")]);
        assert_eq!(own["enable_virtual_host_style"], "false");
        assert_eq!(own["access_key_id"], "k");
        let iam = with(&[("S3_USE_AWS_MANAGED_IAM", "true"), ("S3_ACCESS_KEY", "k")]);
        assert!(!iam.contains_key("access_key_id"));
    }

    #[test]
    fn what_cannot_work_is_said_at_start() {
        fn check(vars: &[(&str, &str)], expected: &str) {
            let err = from(vars).unwrap_err().to_string();
            assert!(err.contains(expected), "{err}");
        }
        check(&[("STORAGE_TYPE", "s3")], "S3_BUCKET_NAME is not set");
        check(&[("STORAGE_TYPE", "ftp")], "unsupported storage type ftp");
        check(&[("STORAGE_TYPE", "clickzetta-volume")], "is not supported");
        if !cfg!(feature = "azure-blob") {
            check(&[("STORAGE_TYPE", "azure-blob")], "built without the feature azure-blob");
        }
    }
}
