//! What is to be kept no more: a mark in the folder of a store, or of an archive, for an address or a whole domain.

use object_store::{Error as Cause, ObjectStoreExt, path::Path};

use super::{Store, StoreError, folder_of, folders_of};

/// No domain is called so.
const MARKS: &str = "_taken-down";

impl Store {
    /// Marks a domain, or one address of it: nothing of it is to be kept here from now on.
    pub async fn withhold(&self, domain: &str, url: Option<&str>) -> Result<(), StoreError> {
        for mark in marks(domain, url) {
            self.objects.put(&mark, Vec::new().into()).await.map_err(|e| self.unavailable(&e))?;
        }
        Ok(())
    }

    /// Takes such a mark away.
    pub async fn lift(&self, domain: &str, url: Option<&str>) -> Result<(), StoreError> {
        for mark in marks(domain, url) {
            match self.objects.delete(&mark).await {
                Ok(()) | Err(Cause::NotFound { .. }) => {}
                Err(cause) => return Err(self.unavailable(&cause)),
            }
        }
        Ok(())
    }

    /// Whether an address, or its domain, is marked.
    pub async fn is_withheld(&self, domain: &str, url: &str) -> Result<bool, StoreError> {
        for mark in [folder_of(domain, None), folder_of(domain, Some(url))].map(mark_in) {
            match self.objects.head(&mark).await {
                Ok(_) => return Ok(true),
                Err(Cause::NotFound { .. }) => {}
                Err(cause) => return Err(self.unavailable(&cause)),
            }
        }
        Ok(false)
    }
}

fn marks(domain: &str, url: Option<&str>) -> impl Iterator<Item = Path> {
    folders_of(domain, url).into_iter().map(mark_in)
}

fn mark_in(folder: String) -> Path {
    Path::from(format!("{MARKS}/{folder}/mark"))
}
