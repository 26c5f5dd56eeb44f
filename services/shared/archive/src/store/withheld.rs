//! What is to be kept no more: a mark in the folder of a store, or of an archive, for an address or a whole domain.

use object_store::{Error as Cause, ObjectStoreExt, path::Path};

use super::{Store, StoreError, folder_of};

/// No domain is called so.
const MARKS: &str = "_taken-down";

impl Store {
    /// Marks a domain, or one address of it: nothing of it is to be kept here from now on.
    pub async fn withhold(&self, domain: &str, url: Option<&str>) -> Result<(), StoreError> {
        let put = self.objects.put(&mark(domain, url), Vec::new().into()).await;
        put.map(drop).map_err(|e| self.unavailable(&e))
    }

    /// Takes such a mark away.
    pub async fn lift(&self, domain: &str, url: Option<&str>) -> Result<(), StoreError> {
        match self.objects.delete(&mark(domain, url)).await {
            Ok(()) | Err(Cause::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.unavailable(&cause)),
        }
    }

    /// Whether an address, or its domain, is marked.
    pub async fn is_withheld(&self, domain: &str, url: &str) -> Result<bool, StoreError> {
        for mark in [mark(domain, None), mark(domain, Some(url))] {
            match self.objects.head(&mark).await {
                Ok(_) => return Ok(true),
                Err(Cause::NotFound { .. }) => {}
                Err(cause) => return Err(self.unavailable(&cause)),
            }
        }
        Ok(false)
    }
}

fn mark(domain: &str, url: Option<&str>) -> Path {
    let folder = folder_of(domain, url);
    Path::from(format!("{MARKS}/{folder}/mark"))
}
