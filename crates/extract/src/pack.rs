//! Zip archives of office documents and books.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

/// The longest part that is unpacked, in bytes.
const LARGEST_PART: u64 = 64 * 1024 * 1024;

pub(crate) struct Pack<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
}

impl<'a> Pack<'a> {
    pub(crate) fn open(content: &'a [u8]) -> Result<Self, String> {
        let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|err| err.to_string())?;
        let mut names = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let name =
                archive.by_index(index).ok().and_then(|it| it.name().ok().map(|it| it.to_string()));
            names.push(name.unwrap_or_default());
        }
        Ok(Self { archive, names })
    }

    /// Names of the parts, with forward slashes: some programs write backslashes.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().map(|name| name.replace('\\', "/"))
    }

    /// The text of a part.
    pub(crate) fn text(&mut self, wanted: &str) -> Result<String, String> {
        let index = self.names.iter().position(|name| name.replace('\\', "/") == wanted);
        let index =
            index.ok_or_else(|| format!("There is no item named '{wanted}' in the archive"))?;
        let part = self.archive.by_index(index).map_err(|err| err.to_string())?;
        let mut content = Vec::new();
        part.take(LARGEST_PART).read_to_end(&mut content).map_err(|err| err.to_string())?;
        Ok(crate::text::decode(&content))
    }
}
