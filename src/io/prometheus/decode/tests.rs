//! Bodies as the servers write them, and as they must never be taken.

use super::*;
use proptest::prelude::*;

fn ok(result_type: &str, result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"{result_type}","result":{result}}}}}"#)
}

#[test]
fn values_are_strings_or_numbers_and_odd_ones_are_kept() {
    let body = ok(
        "vector",
        r#"[{"metric":{"__name__":"up"},"value":[1700000000.5,"0.25"]},{"metric":{},"value":[1700000000,1e3]},
            {"metric":{"a":"NaN"},"value":["1700000000","NaN"]},{"value":[1700000000,"+Inf"]},{"metric":{},"value":[0,"-Inf"]}]"#,
    );
    let got = vector(body.as_bytes()).unwrap();
    let values: Vec<String> = got.data.iter().map(|s| s.value.to_string()).collect();
    assert_eq!(values, ["0.25", "1000", "NaN", "inf", "-inf"]);
    assert_eq!(got.data[0].at, "2023-11-14T22:13:20.500Z".parse::<Timestamp>().unwrap());
    assert_eq!((got.data[0].labels.get("__name__"), got.partial), ("up", false));
}

#[test]
fn a_scalar_is_a_sample_without_labels() {
    let got = vector(ok("scalar", r#"[1700000000.1,"42"]"#).as_bytes()).unwrap();
    assert_eq!((got.data[0].value, got.data[0].labels.0.len()), (42.0, 0));
}

#[test]
fn empty_is_empty_in_each_spelling() {
    for result in ["[]", "null"] {
        assert_eq!(vector(ok("vector", result).as_bytes()).unwrap().data, []);
        assert_eq!(matrix(ok("matrix", result).as_bytes()).unwrap().data, []);
    }
}

#[test]
fn side_notes_are_told_and_make_it_partial_when_the_server_misses_something() {
    let data = r#""data":{"resultType":"vector","result":[]}"#;
    for (extra, partial, warnings) in [
        (r#""warnings":["store down"]"#, true, 1),
        (r#""infos":["might not be a counter"]"#, false, 1),
        (r#""isPartial":true,"stats":{"seriesFetched":"4"}"#, true, 0),
        (r#""isPartial":false,"warnings":null"#, false, 0),
    ] {
        let got = vector(format!(r#"{{"status":"success",{extra},{data}}}"#).as_bytes()).unwrap();
        assert_eq!((got.partial, got.warnings.len()), (partial, warnings), "{extra}");
    }
}

#[test]
fn native_histograms_are_left_out_with_a_warning() {
    let h = r#"[1,{"count":"3","sum":"2","buckets":[[0,"1","2","3"]]}]"#;
    let got = vector(
        ok("vector", &format!(r#"[{{"metric":{{}},"histogram":{h}}},{{"metric":{{}},"value":[1,"2"]}}]"#)).as_bytes(),
    );
    let got = got.unwrap();
    assert_eq!((got.data.len(), got.warnings.len()), (1, 1));
    let got = matrix(ok("matrix", &format!(r#"[{{"metric":{{}},"values":[[1,"2"]],"histograms":[{h}]}}]"#)).as_bytes());
    let got = got.unwrap();
    assert_eq!((got.data[0].points.len(), got.warnings.len()), (1, 1));
}

#[test]
fn a_wrong_type_says_what_was_found_where() {
    for (body, want) in [
        (ok("vector", r#"[{"metric":{},"value":[1,"two"]}]"#), r#""two" is not a number at line 1"#),
        (ok("vector", r#"[{"metric":{},"value":[1,null]}]"#), "null, expected a number"),
        (ok("vector", r#"[{"metric":{},"value":[1]}]"#), "invalid length 1, expected a point"),
        (ok("vector", r#"[{"metric":{},"value":[1,"2",3]}]"#), "invalid length 3"),
        (ok("vector", r#"[{"metric":{},"value":[1e300,"2"]}]"#), "is not an instant"),
        (ok("vector", r#"[{"metric":{"a":1},"value":[1,"2"]}]"#), "integer `1`, expected a string"),
        (ok("vector", r#"[{"metric":{}}]"#), "without `value`"),
        (ok("vector", r#"[[1,"2"]]"#), "expected a series in `data.result`"),
        (ok("vector", r#"[1,"2"]"#), "does not hold"),
        (ok("vector", r#"{}"#), "expected a sequence"),
        (ok("matrix", "[]"), "expected vector or scalar"),
        (ok("string", r#"[1,"x"]"#), "expected vector or scalar"),
        (ok("scalar", r#"[1]"#), "does not hold"),
        (r#"{"status":"success"}"#.into(), "`data` is missing"),
        (r#"{"status":"success","data":null}"#.into(), "`data` is missing"),
        (r#"{"data":{}}"#.into(), "missing field"),
        ("[]".into(), "line 1"),
        ("null".into(), "null, expected struct"),
        ("".into(), "breaks off"),
        (r#"{"status":"success","data":{"resultType":"vec"#.into(), "breaks off"),
        ("404 page not found".into(), "line 1 column"),
    ] {
        match vector(body.as_bytes()) {
            Err(Refusal::Malformed(detail)) => assert!(detail.contains(want), "{body}\n{detail}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    assert!(matches!(matrix(ok("vector", "[]").as_bytes()), Err(Refusal::Malformed(_))));
    assert!(matches!(matrix(ok("matrix", r#"[{"metric":{}}]"#).as_bytes()), Err(Refusal::Malformed(_))));
}

#[test]
fn the_servers_own_error_is_told_in_its_words() {
    for (body, want) in [
        (r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#, "bad_data: 1:5: parse error"),
        (r#"{"status":"error","data":[7],"errorType":"execution","error":"many-to-many"}"#, "execution: many-to-many"),
        (r#"{"status":"error"}"#, r#"status "error" without an error text"#),
    ] {
        assert_eq!(vector(body.as_bytes()), Err(Refusal::Server(want.into())));
        if want.contains(':') {
            assert_eq!(explain(body.as_bytes()).text, want);
        }
    }
    assert_eq!(explain(br#"{"errorType":"timeout","error":"x"}"#).kind, Some(FaultKind::Timeout));
    assert_eq!(explain(b"no healthy upstream").text, "no healthy upstream");
}

#[test]
fn alerts_are_read_whole_or_not_at_all() {
    let one = |state: &str, at: &str| {
        format!(
            r#"{{"status":"success","data":{{"alerts":[{{"labels":{{"alertname":"Down","severity":"page"}},"annotations":{{"summary":"x"}},"state":"{state}","activeAt":"{at}","value":"1e+00"}}]}}}}"#
        )
    };
    let got = alerts(one("firing", "2026-05-01T03:00:00.123456789Z").as_bytes(), &"main".into()).unwrap();
    assert_eq!((got[0].name.as_str(), got[0].state, got[0].pages()), ("Down", AlertState::Firing, true));
    assert_eq!(
        alerts(one("pending", "2026-05-01T03:00:00Z").as_bytes(), &"main".into()).unwrap()[0].state,
        AlertState::Pending
    );
    for bad in [one("mystery", "2026-05-01T03:00:00Z"), one("firing", "yesterday")] {
        assert!(matches!(alerts(bad.as_bytes(), &"main".into()), Err(Refusal::Malformed(_))), "{bad}");
    }
    for bad in [r#"{"status":"success","data":{}}"#, r#"{"status":"success","data":{"alerts":null}}"#] {
        assert!(alerts(bad.as_bytes(), &"main".into()).is_err(), "no alerts is not the same as none told: {bad}");
    }
}

proptest! {
    #[test]
    fn no_bytes_can_hurt(body in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..120) {
        let _ = vector(&body);
        let _ = matrix(&body);
        let whole = ok("vector", r#"[{"metric":{"a":"b"},"value":[1700000000.5,"0.25"]}]"#);
        if cut < whole.len() {
            prop_assert!(vector(&whole.as_bytes()[..cut]).is_err(), "a cut answer is never an answer");
        }
    }

    #[test]
    fn every_number_survives(values in prop::collection::vec(any::<f64>(), 0..20)) {
        let points: Vec<String> = values.iter().enumerate().map(|(i, v)| format!(r#"[{i},"{v:e}"]"#)).collect();
        let body = ok("matrix", &format!(r#"[{{"metric":{{}},"values":[{}]}}]"#, points.join(",")));
        let got = matrix(body.as_bytes()).unwrap();
        for (want, (_, have)) in values.iter().zip(&got.data[0].points) {
            prop_assert!(want.to_bits() == have.to_bits() || want.is_nan() && have.is_nan());
        }
    }
}

#[test]
fn rules_are_read_tolerantly_and_whole() {
    let body = r#"{"status":"success","data":{"groups":[
        {"name":"slo","file":"/etc/x.yml","interval":30,"new":[1],"rules":[
            {"type":"alerting","name":"Burn","query":"up","duration":60,"labels":{"severity":"page"},
             "annotations":{"runbook_url":"https://x/burn"},"alerts":[{"labels":{},"state":"firing"}],"health":"ok","state":"firing"},
            {"type":"recording","name":"job:up","query":"up"},
            {"name":"Bare"}]},
        {"name":"empty","rules":null},{"rules":[]}]}}"#;
    let all = rules(body.as_bytes()).unwrap();
    let told: Vec<_> =
        all.iter().map(|r| (r.name.as_str(), r.group.as_str(), r.annotations.get("runbook_url"))).collect();
    assert_eq!(told, [("Burn", "slo", "https://x/burn"), ("Bare", "slo", "")]);
    assert_eq!(all[0].labels.get("severity"), "page");
    assert_eq!(rules(br#"{"status":"success","data":{"groups":null}}"#), Ok(vec![]));
    for bad in [
        r#"{"status":"success","data":{"groups":[{"name":"g","rules":[{"type":"alerting"}]}]}}"#,
        r#"{"status":"success","data":{"groups":[{"name":"g","rules":[{"name":"A","labels":{"a":[1]}}]}]}}"#,
        r#"{"status":"success"}"#,
        "<html>",
    ] {
        assert!(rules(bad.as_bytes()).is_err(), "{bad}");
    }
    let many = format!(
        r#"{{"status":"success","data":{{"groups":[{{"name":"g","rules":[{}]}}]}}}}"#,
        vec![r#"{"name":"A"}"#; RULE_LIMIT + 1].join(",")
    );
    assert!(matches!(rules(many.as_bytes()), Err(Refusal::Malformed(why)) if why.contains("more than")));
}
