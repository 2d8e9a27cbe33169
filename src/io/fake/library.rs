//! The runbooks of the simulated production, compiled in. Reads no file.

/// Path and text of each, in the format that teams write theirs in.
pub fn runbooks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "demo/runbooks/checkout-bad-deploy.yaml",
            include_str!("../../../assets/demo/runbooks/checkout-bad-deploy.yaml"),
        ),
        ("demo/runbooks/api-latency.yaml", include_str!("../../../assets/demo/runbooks/api-latency.yaml")),
        (
            "demo/runbooks/payments-dependency.yaml",
            include_str!("../../../assets/demo/runbooks/payments-dependency.yaml"),
        ),
    ]
}
