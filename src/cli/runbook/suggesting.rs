//! Measuring what checks suggest, for commands: each expression is asked once, all at the same time. What cannot be asked
//! suggests nothing and says why; nothing is answered here.

use crate::config::Config;
use crate::domain::fault::Fault;
use crate::domain::runbook::model::{Runbook, Suggest};
use crate::domain::runbook::suggest::{Suggestion, named};
use crate::io::clock;
use crate::io::port::Metrics;
use crate::io::prometheus::measure::Prometheus;
use crate::io::prometheus::source::{Source, prometheus};
use crate::run::endpoints;
use serde_json::{Value, json};

/// What a measurement says, and the fault of a source that did not.
pub type Measured = (Suggestion, Option<Fault>);

/// The server that conditions and queries of runbooks are asked of: the first one. `Err` says why there is none.
pub fn metrics(config: &Config) -> Result<Prometheus<Source>, String> {
    let source = config.prometheus.first().ok_or("no Prometheus is configured to ask")?;
    let endpoint = endpoints::prometheus(source).map_err(|fault| fault.to_string())?;
    Ok(prometheus(source.name.clone(), endpoint))
}

/// Asks all of them, in their order.
pub fn measure(config: &Config, wanted: &[&Suggest]) -> Vec<Measured> {
    let none = |why: String| wanted.iter().map(|_| (Suggestion::NoData(why.clone()), None)).collect();
    let port = match metrics(config) {
        Ok(port) => port,
        Err(why) => return none(why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return none(format!("nothing can be asked: {error}")),
    };
    let now = clock::now();
    runtime.block_on(async {
        let port = std::sync::Arc::new(port);
        let ask = |suggest: &&Suggest| {
            let (port, promql) = (std::sync::Arc::clone(&port), suggest.promql.clone());
            tokio::spawn(async move { port.query(&promql, now).await })
        };
        let asked: Vec<_> = wanted.iter().map(ask).collect();
        let mut all = Vec::new();
        for (suggest, task) in wanted.iter().zip(asked) {
            all.push(match task.await {
                Ok(Ok(samples)) => (Suggestion::of(suggest, &samples), None),
                Ok(Err(fault)) => (Suggestion::NoData(fault.to_string()), Some(fault)),
                Err(error) => (Suggestion::NoData(format!("asking ended: {error}")), None),
            });
        }
        all
    })
}

/// `{"answer": "yes"|null, "seen": "0.72"|null, "no_data": null|"why", "steps": ["db"]}`; `steps` are those that a yes
/// names, as `if_yes` and `when` of the runbook say.
pub fn document(book: &Runbook, step: usize, check: usize, said: &Suggestion) -> Value {
    let (answer, seen, no_data) = match said {
        Suggestion::Yes(seen) => (Some("yes"), Some(seen), None),
        Suggestion::Nothing(seen) => (None, Some(seen), None),
        Suggestion::NoData(why) => (None, None, Some(why)),
    };
    let steps: Vec<&str> = match (said, book.steps.get(step)) {
        (Suggestion::Yes(_), Some(own)) => named(book, own, check).iter().map(|s| s.id.as_str()).collect(),
        _ => Vec::new(),
    };
    json!({"answer": answer, "seen": seen, "no_data": no_data, "steps": steps})
}
