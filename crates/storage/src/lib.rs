//! Object storage behind one type: local files, S3, and the clouds built in by feature.
//!
//! Keys are the reference's, untouched, so a bucket or a volume can be shared with it. [`StorageOptions::from_vars`]
//! reads `STORAGE_TYPE` and the variables of that type.

mod error;
mod options;
mod storage;

pub use error::StorageError;
pub use options::{StorageOptions, StorageType};
pub use storage::{ByteStream, Object, Storage};
