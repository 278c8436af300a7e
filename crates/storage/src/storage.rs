//! [`Storage`]: save, load, list and delete objects by key.

use boxed::boxed;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::{EntryMode, Operator};
use tokio::io::AsyncWriteExt;

use crate::error::StorageError;
use crate::options::StorageOptions;

/// Bytes per piece of a streamed object.
const CHUNK: usize = 256 * 1024;

/// The bytes of an object as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, StorageError>> + Send>>;

/// The object store. Clones share connections.
#[derive(Clone)]
pub struct Storage {
    operator: Operator,
    scheme: Arc<str>,
}

/// An object found by [`Storage::scan`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its key; directories end with a slash.
    pub key: String,
    /// Its length in bytes, where the listing says so.
    pub size: u64,
    /// True for directories, which only some stores have.
    pub is_directory: bool,
}

impl Storage {
    /// Opens the store; local directories are created, clouds are not asked yet (see [`Storage::check`]).
    ///
    /// # Errors
    /// [`StorageError::Config`] if the options are not enough or the service is not built in.
    pub fn open(options: &StorageOptions) -> Result<Self, StorageError> {
        // Whoever comes first installs it; TLS would panic without.
        let _ = rustls::crypto::ring::default_provider().install_default();
        opendal::init_default_registry();
        // The facade installs it only together with a TLS provider of its own choice.
        opendal_http_transport_reqwest::install_default();
        let operator = Operator::via_iter(&options.scheme, options.service.clone())
            .map_err(|err| StorageError::Config(format!("{}: {err}", options.scheme)))?
            .layer(
                TimeoutLayer::new()
                    .with_timeout(options.timeout)
                    .with_io_timeout(options.io_timeout),
            )
            .layer(
                RetryLayer::new()
                    .with_max_times(options.max_retries)
                    .with_factor(2.0)
                    .with_jitter(),
            );
        if options.scheme == "fs"
            && let Some(root) = options.service.get("root")
        {
            std::fs::create_dir_all(root).map_err(|err| {
                StorageError::Config(format!("could not create the directory {root}: {err}"))
            })?;
        }
        Ok(Self { operator, scheme: options.scheme.as_str().into() })
    }

    /// Files below `root`.
    ///
    /// # Errors
    /// [`StorageError::Config`] if the directory cannot be created.
    pub fn local(root: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open(&StorageOptions::local(root))
    }

    /// Asks the store for a sign of life.
    ///
    /// # Errors
    /// What it answers, or that it does not.
    #[boxed]
    pub async fn check(&self) -> Result<(), StorageError> {
        Ok(self.operator.check().await?)
    }

    /// Stores an object, replacing what was there.
    ///
    /// # Errors
    /// [`StorageError::InvalidKey`], or what the store says; so for all operations.
    pub async fn save(&self, key: &str, data: impl Into<Bytes>) -> Result<(), StorageError> {
        self.operator.write(file_key(key)?, data.into()).await?;
        Ok(())
    }

    /// Stores what a stream brings, without holding it in memory; its length. When the stream fails, clouds keep what
    /// was there before; a local file is removed.
    ///
    /// # Errors
    /// [`StorageError::Source`] if the stream fails.
    pub async fn save_stream<S>(&self, key: &str, stream: S) -> Result<u64, StorageError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let key = file_key(key)?;
        let mut writer = self.operator.writer_with(key).chunk(8 * 1024 * 1024).await?;
        let mut stream = std::pin::pin!(stream);
        let mut length = 0;
        let outcome = loop {
            match stream.next().await {
                None => break Ok(()),
                Some(Err(err)) => break Err(StorageError::Source(err)),
                Some(Ok(piece)) => {
                    length += piece.len() as u64;
                    if let Err(err) = writer.write(piece).await {
                        break Err(err.into());
                    }
                }
            }
        };
        match outcome {
            Ok(()) => {
                writer.close().await?;
                Ok(length)
            }
            Err(err) => {
                if writer.abort().await.is_err() {
                    // Plain files cannot be aborted; half a file must not look like a whole one.
                    drop(writer);
                    self.delete(key).await?;
                }
                Err(err)
            }
        }
    }

    /// The whole object.
    ///
    /// # Errors
    /// [`StorageError::NotFound`].
    #[boxed]
    pub async fn load(&self, key: &str) -> Result<Bytes, StorageError> {
        Ok(self.operator.read(file_key(key)?).await?.to_bytes())
    }

    /// The bytes `start..end` of an object, fewer if it is shorter.
    ///
    /// # Errors
    /// [`StorageError::NotFound`].
    #[boxed]
    pub async fn load_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, StorageError> {
        let key = file_key(key)?;
        let end = end.min(self.size(key).await?);
        if start >= end {
            return Ok(Bytes::new());
        }
        Ok(self.operator.read_with(key).range(start..end).await?.to_bytes())
    }

    /// The object piece by piece. That it exists is known before this returns.
    ///
    /// # Errors
    /// [`StorageError::NotFound`].
    #[boxed]
    pub async fn load_stream(&self, key: &str) -> Result<ByteStream, StorageError> {
        let key = file_key(key)?;
        let size = self.size(key).await?;
        let reader = self.operator.reader_with(key).chunk(CHUNK).await?;
        let stream = reader.into_bytes_stream(0..size).await?;
        // The reader speaks I/O errors around the store's own.
        Ok(Box::pin(stream.map_err(|err| {
            let kind = err.kind();
            let Some(inner) = err.into_inner() else { return StorageError::Source(kind.into()) };
            match inner.downcast::<opendal::Error>() {
                Ok(inner) => StorageError::from(*inner),
                Err(other) => StorageError::Source(std::io::Error::new(kind, other)),
            }
        })))
    }

    /// Writes the object to a file outside the storage; its length.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], or [`StorageError::Local`] for the file's trouble.
    #[boxed]
    pub async fn download(&self, key: &str, target: &Path) -> Result<u64, StorageError> {
        let mut stream = self.load_stream(key).await?;
        let mut file = tokio::fs::File::create(target).await.map_err(StorageError::Local)?;
        let mut length = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            length += piece.len() as u64;
            file.write_all(&piece).await.map_err(StorageError::Local)?;
        }
        file.flush().await.map_err(StorageError::Local)?;
        Ok(length)
    }

    /// True if the object exists.
    ///
    /// # Errors
    /// What the store says.
    #[boxed]
    pub async fn exists(&self, key: &str) -> Result<bool, StorageError> {
        Ok(self.operator.exists(file_key(key)?).await?)
    }

    /// The length of an object in bytes.
    ///
    /// # Errors
    /// [`StorageError::NotFound`].
    #[boxed]
    pub async fn size(&self, key: &str) -> Result<u64, StorageError> {
        let found = self.operator.stat(file_key(key)?).await?;
        if found.is_dir() {
            return Err(StorageError::NotFound);
        }
        Ok(found.content_length())
    }

    /// Deletes an object; that there is none is fine.
    ///
    /// # Errors
    /// What the store says.
    #[boxed]
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self.operator.delete(file_key(key)?).await {
            Err(err) if err.kind() != opendal::ErrorKind::NotFound => Err(err.into()),
            _ => Ok(()),
        }
    }

    /// Everything below a path, in order of keys; nothing if there is no such path. For maintenance.
    ///
    /// # Errors
    /// What the store says.
    #[boxed]
    pub async fn scan(&self, path: &str) -> Result<Vec<Object>, StorageError> {
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("{}/", file_key(path)?) };
        let entries = match self.operator.list_with(&path).recursive(true).await {
            Ok(entries) => entries,
            Err(err) if err.kind() == opendal::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(err.into()),
        };
        let mut objects: Vec<Object> = entries
            .into_iter()
            .filter(|entry| entry.path() != path && entry.path() != "/")
            .map(|entry| Object {
                key: entry.path().to_owned(),
                size: entry.metadata().content_length(),
                is_directory: entry.metadata().mode() == EntryMode::DIR,
            })
            .collect();
        objects.sort();
        Ok(objects)
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Storage({})", self.scheme)
    }
}

/// The key, if it names a file inside the storage.
fn file_key(key: &str) -> Result<&str, StorageError> {
    let climbs = key.split(['/', '\\']).any(|part| part == ".." || part == ".");
    let odd = key.is_empty()
        || key.starts_with('/')
        || key.ends_with('/')
        || key.contains("//")
        || key.chars().any(char::is_control);
    if climbs || odd {
        return Err(StorageError::InvalidKey(key.escape_debug().to_string()));
    }
    Ok(key)
}
