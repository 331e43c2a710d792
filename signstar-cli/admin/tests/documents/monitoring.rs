//! docs/monitoring.md: what alerts ask for is measured, and both forms of the timer are ones that work.

use crate::page;

/// A word that could be the name of a metric.
fn metrics(text: &str) -> Vec<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !is_part(char));
    let is_metric = |word: &&str| word.starts_with("signstar_") || word.starts_with("nethsm_");
    words.filter(is_metric).collect()
}

#[test]
fn every_metric_of_an_alert_is_documented_and_most_metrics_have_one() {
    let text = page::text("docs/monitoring.md");
    let (_, table) = text.split_once("| metric | labels | what |").unwrap();
    let rows = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| `"));
    let documented: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let of_devices = page::text("docs/nethsm-cli.md");
    let asked: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .flat_map(metrics)
        .collect();
    assert!(asked.len() > 8, "{asked:?}");
    for metric in &asked {
        let is_known = documented.contains(metric) || of_devices.contains(&format!("`{metric}`"));
        assert!(is_known, "{metric}");
    }
    // What only says how much there was, nobody is called for.
    for metric in documented {
        let is_only_counted = metric == "signstar_device_signatures_total"
            || metric == "signstar_certificate_expiry_timestamp_seconds";
        assert!(asked.contains(&metric) || is_only_counted, "{metric}");
    }
}

/// Each alert says what it is called for, how bad that is, and what to do.
#[test]
fn every_alert_is_whole() {
    let text = page::text("docs/monitoring.md");
    let (_, rules) = text.split_once("```yaml\n").unwrap();
    let rules = rules.split("```").next().unwrap();
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 7);
    for alert in alerts {
        for needed in ["expr: ", "labels: {severity: ", "annotations: {summary: \""] {
            assert_eq!(alert.matches(needed).count(), 1, "{needed}: {alert}");
        }
    }
}
