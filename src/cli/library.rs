//! Runbooks for commands: those that the configuration names, or one file that a person names. Reads; never runs.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::files::read_text;
use crate::domain::document::{Finding, Level, nearest};
use crate::domain::runbook::format::read;
use crate::domain::runbook::limit::limited;
use crate::domain::runbook::model::Runbook;
use crate::domain::time::Span;
use std::path::Path;
use std::sync::Arc;

/// The runbooks, and what is wrong with their files.
#[derive(Clone, Debug)]
pub struct Library {
    /// In the order of the configuration; of two with one id, the first.
    pub books: Vec<Arc<Runbook>>,
    /// What hinders reading.
    pub findings: Vec<Finding>,
    /// How long a command may run whose runbook does not say.
    limit: Span,
}

impl Library {
    /// Reads every runbook that the configuration names.
    pub fn load(context: &Context) -> Self {
        let (files, findings) = context.runbook_files();
        let mut library = Self { books: Vec::new(), findings, limit: context.config().command_limit() };
        for path in files {
            match read_text(&path) {
                Ok(text) => {
                    let (book, found) = read(&path.to_string_lossy(), &text);
                    library.findings.extend(found.into_iter().filter(|f| f.level == Level::Error));
                    let known = |book: &Runbook| library.books.iter().any(|b| b.id == book.id);
                    if let Some(book) = book.filter(|book| !known(book)) {
                        library.books.push(limited(&Arc::new(book), library.limit));
                    }
                }
                Err(finding) => library.findings.push(finding),
            }
        }
        library
    }

    /// A runbook by its id, or by the path of a file that need not be configured.
    pub fn find(&self, typed: &str) -> Result<Arc<Runbook>, Failure> {
        if let Some(book) = self.books.iter().find(|b| b.id.0.eq_ignore_ascii_case(typed)) {
            return Ok(Arc::clone(book));
        }
        let path = Path::new(typed);
        if path.is_file() {
            let text = read_text(path).map_err(|f| Failure::Refused(format!("{}: {}", f.path, f.message)))?;
            let (book, findings) = read(typed, &text);
            let book = book.map(|book| limited(&Arc::new(book), self.limit));
            return book.ok_or(Failure::Config(findings));
        }
        let near = nearest(typed, self.books.iter().map(|b| b.id.as_str()));
        let hint = match (near, self.books.is_empty()) {
            (Some(near), _) => format!("nearest: `{near}`"),
            (None, true) => "no runbook is configured: name files under `runbooks:`".to_owned(),
            (None, false) => "`midwatch runbook list` shows them".to_owned(),
        };
        Err(Failure::Refused(format!("there is no runbook `{typed}` ({hint})")))
    }
}
