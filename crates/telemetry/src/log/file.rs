//! The log file, put aside as `.1`, `.2`, … when it is full.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(crate) struct RotatingFile {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    limit: u64,
    backups: u32,
}

impl RotatingFile {
    /// Opens for appending, with its directories. `limit` is in bytes.
    pub(crate) fn open(path: PathBuf, limit: u64, backups: u32) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let (file, size) = append(&path)?;
        Ok(Self { path, file: Some(file), size, limit, backups })
    }

    /// Appends a line. A file that cannot be written is tried again with the next line.
    pub(crate) fn write(&mut self, line: &[u8]) {
        let length = line.len() as u64;
        if self.size > 0 && self.size + length > self.limit {
            self.rotate();
        }
        if self.file.is_none()
            && let Ok((file, size)) = append(&self.path)
        {
            (self.file, self.size) = (Some(file), size);
        }
        if let Some(file) = &mut self.file
            && file.write_all(line).is_ok()
        {
            self.size += length;
        }
    }

    fn rotate(&mut self) {
        self.file = None;
        self.size = 0;
        for number in (1..=self.backups).rev() {
            let from = match number {
                1 => self.path.clone(),
                _ => numbered(&self.path, number - 1),
            };
            // Missing while there are fewer than all.
            let _ = fs::rename(from, numbered(&self.path, number));
        }
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/server.log");
        let mut file = RotatingFile::open(path.clone(), 10, 2).unwrap();
        for line in ["1111111\n", "2222222\n", "3333333\n", "4444444\n"] {
            file.write(line.as_bytes());
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        assert_eq!(read(&path), "4444444\n");
        assert_eq!(read(&numbered(&path, 1)), "3333333\n");
        assert_eq!(read(&numbered(&path, 2)), "2222222\n");
        assert!(!numbered(&path, 3).exists());
    }
}
