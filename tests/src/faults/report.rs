//! What people are told: a line for each seed, the story of one that broke a law, and the totals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::history::{History, Sent};
use super::scale::Scale;
use super::seed::Verdict;

/// Journal lines and messages that a story shows of one command at most.
const SHOWN_MAX: usize = 12;

/// One line about a seed.
#[must_use]
pub fn line(verdict: &Verdict) -> String {
    let statuses = statuses(&verdict.history);
    let statuses: Vec<String> = statuses.iter().map(|(word, n)| format!("{n} {word}")).collect();
    format!(
        "seed {:>4}  {}  {:5.1} s  {} commands ({}), {} takeovers{}; {}",
        verdict.seed,
        if verdict.breaches.is_empty() { "ok    " } else { "BROKEN" },
        verdict.took.as_secs_f64(),
        verdict.history.commands().count(),
        statuses.join(", "),
        takeovers(verdict),
        floods(&verdict.history),
        verdict.kinds().collect::<Vec<_>>().join(", "),
    )
}

/// Everything that shows what went wrong in a seed.
#[must_use]
pub fn story(verdict: &Verdict) -> String {
    let mut text = format!("{}\n\nfaults:\n", line(verdict));
    for fault in &verdict.faults {
        let _ = writeln!(text, "  {fault}");
    }
    for end in &verdict.ended {
        let _ = writeln!(text, "  ended by itself: {end}");
    }
    for breach in &verdict.breaches {
        let _ = writeln!(text, "\n{}: {}", breach.law, breach.what);
        let named =
            verdict.history.commands().filter(|sent| breach.what.contains(&sent.planned.id));
        for sent in named {
            evidence(&mut text, &verdict.history, sent);
        }
    }
    text
}

fn evidence(text: &mut String, history: &History, sent: &Sent) {
    let id = sent.planned.id.as_str();
    for sent in history.sent.iter().filter(|sent| sent.planned.id == id) {
        let (planned, at) = (&sent.planned, sent.at.as_secs_f64());
        let _ = writeln!(
            text,
            "    {at:6.2} s {} {:?} {:?} {} (published {} times) as {}",
            planned.method,
            planned.role,
            planned.deadline,
            planned.params,
            sent.tries,
            sent.correlation
        );
    }
    let mut shown = Vec::new();
    for told in history.told.iter().filter(|told| told.body["id"] == id) {
        let row = format!(
            "    told {:?} {} {}: {}",
            told.via, told.message_id, told.correlation, told.body
        );
        if !shown.contains(&row) {
            shown.push(row);
        }
    }
    let about = |entry: &&Value| {
        let line = entry.to_string();
        line.contains(id) || line.contains("key_duplicated")
    };
    shown.extend(history.journal.iter().filter(about).map(|entry| format!("    journal {entry}")));
    for row in shown.iter().take(SHOWN_MAX) {
        let _ = writeln!(text, "{row}");
    }
    if let Some(record) = history.records.get(id) {
        let _ = writeln!(text, "    record {record}");
    }
}

/// The totals of all seeds.
#[must_use]
pub fn totals(verdicts: &[Verdict], scale: Scale) -> String {
    let mut status: BTreeMap<String, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut commands, mut published, mut taken, mut died, mut broken) = (0, 0, 0, 0, 0);
    for verdict in verdicts {
        for (word, count) in statuses(&verdict.history) {
            *status.entry(word).or_default() += count;
        }
        for kind in verdict.kinds() {
            *kinds.entry(kind).or_default() += 1;
        }
        commands += verdict.history.commands().count();
        published += verdict.history.sent.len();
        taken += takeovers(verdict);
        died += verdict.ended.len();
        broken += usize::from(!verdict.breaches.is_empty());
    }
    let unknown = status.get("unknown").copied().unwrap_or(0);
    let mut text = format!(
        "{} seeds at scale {}: {} broken\n{commands} commands in {published} publications, {taken} takeovers, \
         {died} processes ended by themselves\nresults:",
        verdicts.len(),
        scale.0,
        broken,
    );
    for (word, count) in &status {
        let _ = write!(text, " {count} {word},");
    }
    let share = 100.0 * unknown as f64 / commands.max(1) as f64;
    let _ = writeln!(text, " {share:.2} % unknown\nfaults:");
    for (kind, count) in kinds {
        let _ = writeln!(text, "  {count:>5} {kind}");
    }
    text
}

/// Leases taken beyond the first of each instance.
fn takeovers(verdict: &Verdict) -> usize {
    verdict.leases_taken.saturating_sub(verdict.history.logins.len())
}

/// How often Telegram asked for a wait, and how often it was asked again meanwhile.
fn floods(history: &History) -> String {
    let impatient = history.waits().filter(|wait| wait["fault"]["in_flood"] == true).count();
    match history.waits().count() {
        0 => String::new(),
        waits => format!(", {waits} flood waits ({impatient} not waited for)"),
    }
}

/// How many commands ended in each way: a status, and for failures the kind of error.
fn statuses(history: &History) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for sent in history.commands() {
        let outcome = history.outcomes(&sent.planned.id).last().map(|told| &told.body);
        let word = outcome.map_or_else(
            || "unanswered".to_owned(),
            |body| match (body["status"].as_str(), body["error_kind"].as_str()) {
                (Some("failed"), Some(kind)) => format!("failed:{kind}"),
                (status, _) => status.unwrap_or("unreadable").to_owned(),
            },
        );
        *count.entry(word).or_default() += 1;
    }
    count
}
