//! Answers questions about what was written before, on whatever thread asks: brings the index up to date first. One at a
//! time; a question that a newer one has overtaken while it waited is not answered.

use crate::domain::fault::Fault;
use crate::domain::ids::IncidentId;
use crate::domain::search::{HITS, Hit, Question, Similar};
use crate::io::search::Index;
use crate::io::store::Store;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Opens the record, on the thread that asks first.
pub type OpenRecord = Box<dyn FnOnce() -> Result<Box<dyn Store>, Fault> + Send>;

/// The index with the record that it follows.
pub struct Finder {
    inner: Mutex<Inner>,
    latest: AtomicU64,
}

struct Inner {
    open: Option<OpenRecord>,
    path: Option<PathBuf>,
    pages: Option<PathBuf>,
    ready: Option<(Index, Box<dyn Store>)>,
    failed: Option<Fault>,
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Finder")
    }
}

/// Where the index lies in a data folder.
pub fn default_path(data: &Path) -> PathBuf {
    data.join("search.db")
}

impl Finder {
    /// A finder whose index lies in a file, or in memory without one; `pages` is the folder of postmortems.
    pub fn new(open: OpenRecord, path: Option<PathBuf>, pages: Option<PathBuf>) -> Self {
        let inner = Inner { open: Some(open), path, pages, ready: None, failed: None };
        Self { inner: Mutex::new(inner), latest: AtomicU64::new(0) }
    }

    /// What was found. `None`: a newer question came meanwhile. Numbers of questions rise.
    pub fn find(&self, number: u64, question: &Question) -> Option<Result<Vec<Hit>, Fault>> {
        self.latest.fetch_max(number, Ordering::SeqCst);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if self.latest.load(Ordering::SeqCst) > number {
            return None;
        }
        Some(inner.index().and_then(|index| index.find(question, HITS)))
    }

    /// Incidents that are like one.
    pub fn similar(&self, of: &IncidentId) -> Result<Vec<Similar>, Fault> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.index().and_then(|index| index.similar(of))
    }
}

impl Inner {
    /// The index as the record is now.
    fn index(&mut self) -> Result<&mut Index, Fault> {
        if let Some(open) = self.open.take() {
            let index = match &self.path {
                // Where no file can be written, what is found is found all the same.
                Some(path) => Index::open(path).or_else(|_| Index::in_memory()),
                None => Index::in_memory(),
            };
            match index.and_then(|index| Ok((index, open()?))) {
                Ok(ready) => self.ready = Some(ready),
                Err(fault) => self.failed = Some(fault),
            }
        }
        let Some((index, store)) = &mut self.ready else {
            let missing = || Fault::new(crate::domain::fault::FaultKind::Local, "search index", "is not open");
            return Err(self.failed.clone().unwrap_or_else(missing));
        };
        index.catch_up(store.as_mut())?;
        if let Some(pages) = &self.pages {
            index.read_pages(pages)?;
        }
        Ok(index)
    }
}
