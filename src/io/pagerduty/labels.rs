//! Labels of a Prometheus alert out of what an Alertmanager told PagerDuty: its template writes them as text under
//! `details.firing`; other senders give a flat object. Only what is plainly a label is taken.

use serde_json::Value;

/// The most labels that are read, and the longest value in bytes.
const MOST: usize = 64;
const LONGEST: usize = 1024;

/// Labels in the body of an alert, each name once, in their order.
pub fn of(body: &Value) -> Vec<(String, String)> {
    let details = body.get("details").or_else(|| body.get("cef_details").and_then(|c| c.get("details")));
    let Some(details) = details else { return Vec::new() };
    if let Some(firing) = details.get("firing").and_then(Value::as_str) {
        return template(firing);
    }
    let flat = details.get("labels").unwrap_or(details);
    let pairs = flat.as_object().into_iter().flatten();
    let mut out = Vec::new();
    for (name, value) in pairs.filter_map(|(name, value)| Some((name, value.as_str()?))) {
        push(&mut out, name, value);
    }
    out
}

/// ` - name = value` below `Labels:`, of the first alert in the text.
fn template(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let after = text.lines().skip_while(|line| line.trim() != "Labels:").skip(1);
    for line in after.take_while(|line| line.trim_start().starts_with('-')) {
        if let Some((name, value)) = line.trim_start().trim_start_matches('-').split_once('=') {
            push(&mut out, name.trim(), value.trim());
        }
    }
    out
}

fn push(out: &mut Vec<(String, String)>, name: &str, value: &str) {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && value.len() <= LONGEST && out.len() < MOST && !out.iter().any(|(known, _)| known == name) {
        out.push((name.to_owned(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_come_out_of_the_template_of_an_alertmanager_and_out_of_flat_details() {
        let firing = "Labels:\n - alertname = HighLatency\n - service = api = v2\nAnnotations:\n - summary = slow\n\
                      Source: http://prom\nLabels:\n - alertname = Second\n";
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        for (body, want) in [
            (
                json!({"details": {"firing": firing, "num_firing": "2"}}),
                vec![pair("alertname", "HighLatency"), pair("service", "api = v2")],
            ),
            (json!({"details": {"alertname": "Burn", "n": 3, "not a label": "x"}}), vec![pair("alertname", "Burn")]),
            (json!({"details": {"labels": {"alertname": "Burn"}, "other": "x"}}), vec![pair("alertname", "Burn")]),
            (json!({"details": "a text"}), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(of(&body), want, "{body}");
        }
    }
}
