//! Every paging product from the command line to its server and back: what is open there is listed, an act is recorded,
//! sent through the outbox and told, what it cannot do is refused with the reason, and `doctor` says who we are.

use crate::cli::Machine;
use crate::contract::Rig;
use crate::contract::goalert::GoAlertRig;
use crate::contract::grafana_oncall::OnCallRig;
use crate::contract::incident_io::IncidentIoRig;
use crate::contract::jsm::JsmRig;
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::outward::intent::Intent;

/// A product with its configuration, and what `doctor` says of it.
struct Pager {
    rig: Box<dyn Rig>,
    config: String,
    says: &'static str,
}

fn pagers() -> Vec<Pager> {
    let goalert = GoAlertRig::new();
    let (incident_io, jsm, oncall) = (IncidentIoRig::new(), JsmRig::new(), OnCallRig::new());
    vec![
        Pager { config: goalert.section(false), rig: Box::new(goalert), says: "nobody in person" },
        Pager { config: incident_io.section(false), rig: Box::new(incident_io), says: "as midwatch key" },
        Pager { config: oncall.section(false), rig: Box::new(oncall), says: "archived since March 2026" },
        Pager { config: jsm.section(false), rig: Box::new(jsm), says: "ops@example.com, with a token of kind user" },
    ]
}

fn incident(rig: &dyn Rig, capability: Capability) -> Option<String> {
    match rig.intent(capability) {
        Some(Intent::Backend(write)) => write.incident().map(str::to_owned),
        _ => None,
    }
}

#[test]
fn what_is_open_is_listed_acted_on_through_the_outbox_and_doctor_says_who_we_are() {
    for pager in pagers() {
        let (rig, machine) = (pager.rig.as_ref(), Machine::new());
        machine.write("config.yaml", &pager.config);
        let id = incident(rig, Capability::Acknowledge).unwrap();
        let said = machine.run("pages -o json");
        assert_eq!(said.code, 0, "{}: {}", rig.name(), said.err);
        let pages = said.json()["pages"].as_array().unwrap().clone();
        let page = pages.iter().find(|page| page["id"] == id.as_str()).unwrap();
        assert_eq!(page["status"], "triggered", "{}", rig.name());

        let said = machine.args(&["pages", "ack", &id, "-o", "json"]);
        assert_eq!(said.code, 0, "{}: {}", rig.name(), said.err);
        assert_eq!(said.json()["state"], "done", "{}: {}", rig.name(), said.out);
        let outbox = machine.run("outbox list --all -o json");
        assert!(outbox.out.contains("acknowledge"), "{}: {} {}", rig.name(), outbox.out, outbox.err);
        let again = machine.args(&["pages", "ack", &id, "-o", "json"]);
        assert_eq!(again.json()["state"], "already done", "{}: {}", rig.name(), again.out);

        let doctor = machine.run("doctor -o json");
        assert!(doctor.out.contains(pager.says), "{}: {}", rig.name(), doctor.out);
        assert!(!doctor.out.contains("canary"), "{}", rig.name());
    }
}

#[test]
fn what_a_product_cannot_do_is_refused_with_its_reason_and_nothing_is_sent() {
    for pager in pagers() {
        let (rig, machine) = (pager.rig.as_ref(), Machine::new());
        machine.write("config.yaml", &pager.config);
        let id = incident(rig, Capability::Acknowledge).unwrap();
        let caps = rig.target().outward.caps();
        let mut refused = 0;
        for (capability, args) in [
            (Capability::Note, &["note", &id, "words"][..]),
            (Capability::Snooze, &["snooze", &id, "--minutes", "30"]),
            (Capability::SetTitle, &["title", &id, "words"]),
        ] {
            let Some(why) = caps.why_not(capability) else { continue };
            let said = machine.args(&[&["pages"], args].concat());
            assert_eq!(said.code, 1, "{}: {}", rig.name(), said.out);
            assert!(said.err.contains(&why), "{}: {}", rig.name(), said.err);
            refused += 1;
        }
        assert!(refused > 0 || rig.name() == "jsm", "{} refuses nothing", rig.name());
    }
}
