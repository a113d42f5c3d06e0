//! The table as a person reads it: what was run has a tick, what failed a cross, what can't be a
//! letter that stands for the reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::axes::{Form, Kind, Method, Outcome};
use super::group_cells::GroupCell;

/// How one cell went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// As it must.
    Right,
    /// Not so.
    Wrong(String),
    /// It can't be, because of this.
    Never(&'static str),
}

/// The cells about somebody, by their place.
#[derive(Debug, Default)]
pub struct Table {
    marks: BTreeMap<(usize, usize, usize, usize), Mark>,
    groups: Vec<(&'static str, &'static str, &'static str, String, Mark)>,
    /// Spoilt journals that the check refused.
    pub spoilt: usize,
}

impl Table {
    pub fn enter(&mut self, method: Method, kind: Kind, form: Form, outcome: Outcome, mark: Mark) {
        let place = (method as usize, kind as usize, outcome as usize, form as usize);
        self.marks.insert(place, mark);
    }

    pub fn enter_group(&mut self, kind: Kind, cell: &GroupCell, mark: Mark) {
        let row = (cell.method, kind.word(), cell.condition, cell.outcome(), mark);
        self.groups.push(row);
    }

    /// Takes over what another lane entered.
    pub fn add(&mut self, other: Self) {
        self.marks.extend(other.marks);
        self.groups.extend(other.groups);
        self.spoilt += other.spoilt;
    }

    /// How many cells there are, run, impossible, and how many there should be.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        let all = Method::ALL.len() * Kind::ALL.len() * Form::ALL.len() * Outcome::ALL.len();
        let never = self.marks.values().filter(|mark| matches!(mark, Mark::Never(_))).count();
        (self.marks.len() - never, never, self.groups.len(), all)
    }

    /// The cells that did not go as they must.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for ((method, kind, outcome, form), mark) in &self.marks {
            let place = format!(
                "{} {} {} {}",
                Method::ALL[*method].shown(),
                Kind::ALL[*kind].word(),
                Form::ALL[*form].shown(),
                Outcome::ALL[*outcome].shown()
            );
            if let Mark::Wrong(why) = mark {
                wrong.push(format!("{place}: {why}"));
            }
        }
        for (method, kind, condition, outcome, mark) in &self.groups {
            if let Mark::Wrong(why) = mark {
                wrong.push(format!("{method} {kind}, {condition} -> {outcome}: {why}"));
            }
        }
        wrong
    }

    /// All of it.
    pub fn print(&self) -> String {
        let mut text = String::new();
        let mut reasons: Vec<&str> = Vec::new();
        let forms: String = Form::ALL.iter().map(|form| format!("{:>9}", form.shown())).collect();
        let _ = writeln!(text, "{:<26} {:<10} {:<29}{forms}", "method", "kind", "outcome");
        for (m, method) in Method::ALL.into_iter().enumerate() {
            for (k, kind) in Kind::ALL.into_iter().enumerate() {
                for (o, outcome) in Outcome::ALL.into_iter().enumerate() {
                    let cells: String = (0..Form::ALL.len())
                        .map(|f| {
                            let mark = self.marks.get(&(m, k, o, f));
                            format!("{:>9}", sign(mark, &mut reasons))
                        })
                        .collect();
                    let (method, kind, outcome) = (method.shown(), kind.word(), outcome.shown());
                    let _ = writeln!(text, "{method:<26} {kind:<10} {outcome:<29}{cells}");
                }
            }
        }
        let _ = writeln!(text);
        for (at, reason) in reasons.iter().enumerate() {
            let _ = writeln!(text, "  {} = {reason}", letter(at));
        }
        let _ = writeln!(text, "\n{:<26} {:<10} {:<40} outcome", "method", "kind", "condition");
        for (method, kind, condition, outcome, mark) in &self.groups {
            let tick = sign(Some(mark), &mut reasons);
            let _ = writeln!(text, "{method:<26} {kind:<10} {condition:<40} {outcome} {tick}");
        }
        text
    }
}

fn sign(mark: Option<&Mark>, reasons: &mut Vec<&'static str>) -> String {
    match mark {
        None => "EMPTY".to_owned(),
        Some(Mark::Right) => "✓".to_owned(),
        Some(Mark::Wrong(_)) => "✗".to_owned(),
        Some(Mark::Never(reason)) => {
            let at = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                reasons.push(reason);
                reasons.len() - 1
            });
            letter(at)
        }
    }
}

fn letter(at: usize) -> String {
    let letter = u8::try_from(at).ok().and_then(|at| b'a'.checked_add(at)).unwrap_or(b'?');
    char::from(letter).to_string()
}
