//! The files under a running cockpit: configuration, objectives, runbooks. A look reads what changed and nothing else; it
//! runs on a thread of its own, when the machine asks for it. Applies nothing.

use crate::app::reload::{Looked, Settings};
use crate::domain::document::{Finding, Level};
use crate::domain::drill::history;
use crate::domain::ids::{RunbookId, SloId};
use crate::domain::runbook::lint::{Facts, Rehearsal};
use crate::domain::slo::catalogue::Plans;
use crate::domain::slo::objective::Objective;
use crate::domain::time::Timestamp;
use crate::io::files::drills;
use crate::run::setup::read_objectives;
use crate::run::shelf::{KEPT, Shelf};
use crate::run::stamp::Stamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// The configuration as it is now, and the files that it names now.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What it says.
    pub settings: Settings,
    /// SLO files.
    pub slos: Vec<PathBuf>,
    /// Runbook files.
    pub runbooks: Vec<PathBuf>,
}

/// Reads the configuration again.
pub type Reread = Arc<dyn Fn() -> Reading + Send + Sync>;

/// What was read last.
pub struct Watch {
    reread: Reread,
    settings: Settings,
    shelf: Shelf,
    slos: Objectives,
    drills: Drills,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    /// Begins with the settings in use; the history of drills is in the data folder.
    pub fn new(reread: Reread, settings: Settings, data: PathBuf) -> Self {
        let drills = Drills { data, ..Drills::default() };
        Self { reread, settings, shelf: Shelf::default(), slos: Objectives::default(), drills }
    }

    /// Objectives as they are at the start.
    pub fn objectives(&mut self, files: &[PathBuf], now: Timestamp) -> (Vec<Arc<Objective>>, Plans, Vec<Finding>) {
        self.slos.look(files, now).unwrap_or_default()
    }

    /// Runbooks as they are at the start; judged with the objectives, when those were read before.
    pub fn library(&mut self, files: &[PathBuf], now: Timestamp) -> crate::run::shelf::Library {
        let around = self.around(now);
        self.shelf.look(files, &around, now).unwrap_or_default()
    }

    /// What is known around the runbooks. Which alerts the servers raise is known to the machine alone.
    fn around(&mut self, now: Timestamp) -> Facts {
        Facts {
            slos: self.slos.known.clone(),
            contacts: self.settings.config.known_contacts().map(Arc::new),
            drills: self.drills.look(now),
            ..Facts::default()
        }
    }

    /// What changed since the last look.
    pub fn look(&mut self, now: Timestamp) -> Looked {
        let Reading { settings, slos, runbooks } = (self.reread)();
        let changed = (settings != self.settings).then(|| settings.clone());
        let broken = settings.findings.iter().any(|f| f.level == Level::Error);
        self.settings = settings;
        // The files that a broken configuration names are not the ones that are meant.
        let (slos, runbooks) = if broken { (self.slos.files(), self.shelf.files()) } else { (slos, runbooks) };
        let objectives = self.slos.look(&slos, now);
        let around = self.around(now);
        Looked { library: self.shelf.look(&runbooks, &around, now), objectives, settings: changed.map(Box::new) }
    }
}

/// The history of drills, read again when its file changed.
#[derive(Debug, Default)]
struct Drills {
    data: PathBuf,
    stamp: Option<Stamp>,
    last: Option<Arc<BTreeMap<RunbookId, Rehearsal>>>,
}

impl Drills {
    fn look(&mut self, now: Timestamp) -> Option<Arc<BTreeMap<RunbookId, Rehearsal>>> {
        let stamp = Stamp::of(&drills::folder(&self.data).join(history::FILE));
        if stamp != self.stamp || stamp.is_some_and(|stamp| !stamp.is_settled(now)) {
            // One that cannot be read says nothing of any runbook.
            let held = drills::read_history(&self.data).map(|(records, _)| history::rehearsals(&records));
            let last = held.ok().filter(|held| !held.is_empty()).map(Arc::new);
            (self.stamp, self.last) = (stamp, last);
        }
        self.last.clone()
    }
}

/// Objectives, read together because files speak of each other.
#[derive(Debug, Default)]
struct Objectives {
    stamps: BTreeMap<PathBuf, Option<Stamp>>,
    order: Vec<PathBuf>,
    good: Vec<Arc<Objective>>,
    plans: Plans,
    findings: Vec<Finding>,
    /// Their names; not known while a file has errors, nor where there is no file.
    known: Option<Arc<BTreeSet<SloId>>>,
    read: bool,
    /// A file was away at the last look.
    away: bool,
}

impl Objectives {
    fn files(&self) -> Vec<PathBuf> {
        self.order.clone()
    }

    /// Reads all files when one changed. `Some` when the objectives or what is wrong with them did.
    fn look(&mut self, files: &[PathBuf], now: Timestamp) -> Option<(Vec<Arc<Objective>>, Plans, Vec<Finding>)> {
        let stamps: BTreeMap<PathBuf, Option<Stamp>> = files.iter().map(|p| (p.clone(), Stamp::of(p))).collect();
        let here =
            |stamps: &BTreeMap<PathBuf, Option<Stamp>>, path: &PathBuf| stamps.get(path).is_some_and(Option::is_some);
        let missing = self.stamps.keys().any(|path| here(&self.stamps, path) && !here(&stamps, path));
        if missing && !std::mem::replace(&mut self.away, true) {
            // An editor may be saving: once more, then it counts.
            return None;
        }
        let settled = stamps.values().flatten().all(|stamp| stamp.is_settled(now));
        if self.read && settled && !self.away && stamps == self.stamps && files == self.order {
            return None;
        }
        self.away = false;
        let (objectives, plans, mut findings) = read_objectives(files);
        // A file that is broken for a moment must not take planned work away: what it spares would page.
        let broken = findings.iter().any(|f| f.level == Level::Error);
        let plans = if broken && self.read { self.plans.clone() } else { plans };
        let objectives = self.with_good(objectives, &mut findings, files);
        let changed = !self.read || objectives != self.good || plans != self.plans || findings != self.findings;
        (self.stamps, self.order, self.read) = (stamps, files.to_vec(), true);
        let ids = || Arc::new(objectives.iter().map(|o| o.id.clone()).collect());
        self.known = (!broken && !files.is_empty()).then(ids);
        (self.good, self.plans, self.findings) = (objectives, plans, findings);
        changed.then(|| (self.good.clone(), self.plans.clone(), self.findings.clone()))
    }

    /// For each file that has an error and had none, the objectives that it gave last.
    fn with_good(
        &self,
        mut objectives: Vec<Arc<Objective>>,
        findings: &mut [Finding],
        files: &[PathBuf],
    ) -> Vec<Arc<Objective>> {
        for path in files {
            let name = path.to_string_lossy();
            let of_file = |o: &Objective| o.declared.strip_prefix(&*name).is_some_and(|rest| rest.starts_with(':'));
            let wrong = |f: &Finding| f.level == Level::Error && f.path == name;
            let was_kept = self.findings.iter().any(|f| wrong(f) && f.message.ends_with(KEPT));
            let was_clean = was_kept || !self.findings.iter().any(wrong);
            let old: Vec<_> = self.good.iter().filter(|o| of_file(o)).cloned().collect();
            if !findings.iter().any(wrong) || !was_clean || old.is_empty() {
                continue;
            }
            findings.iter_mut().filter(|f| wrong(f)).for_each(|f| f.message.push_str(KEPT));
            objectives.retain(|o| !of_file(o));
            let new = old.into_iter().filter(|o| !objectives.iter().any(|other| other.id == o.id)).collect::<Vec<_>>();
            objectives.extend(new);
        }
        // In the order of the last good reading where that has them, so that a broken file moves no row.
        let place = |o: &Arc<Objective>| self.good.iter().position(|g| g.id == o.id).unwrap_or(usize::MAX);
        objectives.sort_by_key(place);
        objectives
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::Layout;
    use crate::config::Config;
    use crate::domain::drill::history::{Measured, Player, Record, Rehearsed};
    use crate::domain::severity::SeverityTable;
    use crate::io::clock;
    use std::path::Path;
    use std::sync::Mutex;

    const SLO: &str = "service_level_objectives:\n  NAME: {sli: \"sum(rate(a[5m])) / sum(rate(b[5m]))\", target: 0.99, window: 30d}\n";

    fn settings() -> Settings {
        Settings {
            config: Arc::new(Config::empty()),
            severities: SeverityTable::defaults(),
            template: Layout::A,
            findings: Vec::new(),
        }
    }

    fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    }

    fn ids(objectives: &[Arc<Objective>]) -> Vec<&str> {
        objectives.iter().map(|o| o.id.as_str()).collect()
    }

    #[test]
    fn a_broken_slo_file_keeps_what_it_gave_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            put(folder.path(), "a.yaml", &SLO.replace("NAME", "one")),
            put(folder.path(), "b.yaml", &SLO.replace("NAME", "two")),
        ];
        let mut all = Objectives::default();
        assert_eq!(ids(&all.look(&files, clock::now()).unwrap().0), ["one", "two"]);
        put(folder.path(), "a.yaml", "service_level_objectives:\n  one: {sli: [\n");
        put(folder.path(), "b.yaml", &SLO.replace("NAME", "two").replace("0.99", "0.9"));
        let (objectives, _, findings) = all.look(&files, clock::now()).unwrap();
        assert_eq!(ids(&objectives), ["one", "two"]);
        assert_eq!(objectives[1].target, 0.9);
        let error = findings.iter().find(|f| f.level == Level::Error).unwrap();
        assert!(error.path.ends_with("a.yaml") && error.line >= 2 && error.message.ends_with(KEPT), "{error:?}");
        put(folder.path(), "a.yaml", "service_level_objectives:\n  one: {sli: [[\n");
        assert_eq!(
            ids(&all.look(&files, clock::now()).map_or_else(|| all.good.clone(), |l| l.0)),
            ["one", "two"],
            "still"
        );
        put(folder.path(), "a.yaml", &SLO.replace("NAME", "three"));
        let (objectives, _, findings) = all.look(&files, clock::now()).unwrap();
        assert_eq!(ids(&objectives), ["two", "three"]);
        assert!(findings.iter().all(|f| f.level != Level::Error));
    }

    #[test]
    fn a_broken_file_does_not_take_planned_work_away() {
        let folder = tempfile::tempdir().unwrap();
        let good = "apiVersion: midwatch/v1\nkind: Objectives\nobjectives: []\nmaintenance:\n  - {name: move, start: 2026-05-01, duration: 2h}\n";
        let files = [put(folder.path(), "plans.yaml", good)];
        let mut all = Objectives::default();
        assert_eq!(all.look(&files, clock::now()).unwrap().1.maintenance.len(), 1);
        put(folder.path(), "plans.yaml", &good.replace("2h}", "2h"));
        assert_eq!(all.look(&files, clock::now()).unwrap().1.maintenance.len(), 1);
        put(folder.path(), "plans.yaml", &good.replace("move", "patch"));
        assert_eq!(all.look(&files, clock::now()).unwrap().1.maintenance[0].name, "patch");
        put(folder.path(), "plans.yaml", "apiVersion: midwatch/v1\nkind: Objectives\nobjectives: []\n");
        assert_eq!(all.look(&files, clock::now()).unwrap().1.maintenance, vec![]);
    }

    #[test]
    fn a_look_tells_each_change_once() {
        let folder = tempfile::tempdir().unwrap();
        let book = put(folder.path(), "a.yaml", "name: A\nsteps: [{name: One}]\n");
        let slo = put(folder.path(), "s.yaml", &SLO.replace("NAME", "one"));
        let said = Arc::new(Mutex::new(settings()));
        let shared = Arc::clone(&said);
        let (books, slos) = (vec![book], vec![slo]);
        let (named, measured) = (books.clone(), slos.clone());
        let reread: Reread = Arc::new(move || Reading {
            settings: shared.lock().unwrap().clone(),
            slos: measured.clone(),
            runbooks: named.clone(),
        });
        let mut watch = Watch::new(reread, settings(), folder.path().to_owned());
        assert_eq!(watch.library(&books, clock::now()).0.len(), 1);
        assert_eq!(watch.objectives(&slos, clock::now()).0.len(), 1);
        assert_eq!(watch.look(clock::now()), Looked::default());
        put(folder.path(), "a.yaml", "name: B\nsteps: [{name: One}]\n");
        let looked = watch.look(clock::now());
        assert_eq!((looked.library.unwrap().0[0].name.as_str(), looked.objectives, looked.settings), ("B", None, None));
        let mut config = Config::empty();
        config.screen.bell = !config.screen.bell;
        said.lock().unwrap().config = Arc::new(config);
        assert!(watch.look(clock::now()).settings.is_some());
        assert_eq!(watch.look(clock::now()), Looked::default());
    }

    #[test]
    fn runbooks_are_judged_with_contacts_objectives_and_drills_as_they_are_now() {
        let folder = tempfile::tempdir().unwrap();
        let text = "apiVersion: midwatch/v1\nid: a\nname: A\nowner: us\nreviewed: 2026-05-01\nreview_every: 3650d\ntriggers: \
                    [{alert: A}]\nsteps:\n  - id: stop\n    name: Stop\n    phase: mitigate\n    options:\n      - id: go\n        action: Go\n        risk: change\n        \
                    run: {argv: [mv, a, b]}\n        rollback: {none: nothing}\n        verify: {slo: one, burn_rate: 5m, op: '<', value: 1, for: \
                    1m, within: 5m}\nescalation: [{after: 5m, clock: unmitigated, contact: senior}]\n";
        let books = vec![put(folder.path(), "a.yaml", text)];
        let slos = vec![put(folder.path(), "s.yaml", &SLO.replace("NAME", "one"))];
        let said = Arc::new(Mutex::new(settings()));
        let (shared, named, measured) = (Arc::clone(&said), books.clone(), slos.clone());
        let reread: Reread = Arc::new(move || Reading {
            settings: shared.lock().unwrap().clone(),
            slos: measured.clone(),
            runbooks: named.clone(),
        });
        let mut watch = Watch::new(reread, settings(), folder.path().to_owned());
        watch.objectives(&slos, clock::now());
        let told = |findings: &[Finding]| {
            findings.iter().map(|f| format!("{} {} {}", f.line, f.rule, f.message)).collect::<Vec<_>>()
        };
        assert_eq!(told(&watch.library(&books, clock::now()).1), Vec::<String>::new(), "nothing else is known");
        let mut look = || watch.look(clock::now()).library.map(|(_, findings)| told(&findings));
        assert_eq!(look(), None);
        let mut config = Config::empty();
        config.contacts = [("senor".to_owned(), None)].into();
        said.lock().unwrap().config = Arc::new(config);
        let contact = "19 RB014 senior is not among the contacts (nearest: `senor`)";
        assert_eq!(look(), Some(vec![contact.to_owned()]));
        put(folder.path(), "s.yaml", &SLO.replace("NAME", "two"));
        let gone = "18 RB001 there is no objective `one`, so this can never hold";
        assert_eq!(look(), Some(vec![gone.to_owned(), contact.to_owned()]));
        put(folder.path(), "s.yaml", "service_level_objectives: [\n");
        assert_eq!(look(), Some(vec![contact.to_owned()]), "which there are is not known");
        let at = "2026-05-03T10:00:00Z".parse().unwrap();
        let drill = Record {
            drill: "DRILL-1".into(),
            scenario: "s".into(),
            seed: 1,
            people: vec!["alice".into()],
            player: Player::Person,
            began_at: at,
            ended_at: at,
            end: "time".into(),
            points: 1,
            of: 2,
            times: Measured::default(),
            runbooks: vec![Rehearsed { runbook: "a".into(), failed_at: Some("stop".into()) }],
            report: None,
        };
        drills::add_to_history(folder.path(), &drill).unwrap();
        let failed = "9 RB015 the last drill, on 2026-05-03, failed at step `stop`";
        assert_eq!(look(), Some(vec![failed.to_owned(), contact.to_owned()]));
        assert_eq!(look(), None);
    }
}
