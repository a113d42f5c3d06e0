//! What is printed: JSON lines for scripts, or words and colours for people. Colours only where somebody looks.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::json;

use crate::exit::Failure;

/// Where and how output goes.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    json: bool,
}

/// Things went well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Half of it, or nobody knows.
pub const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
/// It failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Of less weight.
pub const FAINT: Style = AnsiColor::BrightBlack.on_default();
/// Of more weight.
pub const STRONG: Style = Style::new().bold();

impl Screen {
    /// JSON lines, or words.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a script reads.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints an object for a script, or the words for people.
    pub fn put(self, value: &impl Serialize, words: impl FnOnce() -> String) {
        if self.json {
            self.json_line(value);
        } else {
            anstream::println!("{}", words());
        }
    }

    /// Prints one line of JSON.
    pub fn json_line(self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => anstream::println!("{line}"),
            Err(error) => anstream::eprintln!("can't be shown as JSON: {error}"),
        }
    }

    /// Tells people what goes on; scripts don't want to know.
    pub fn note(self, words: &str) {
        if !self.json {
            anstream::eprintln!("{}", paint(FAINT, words));
        }
    }

    /// Tells why nothing came of it, and gives the exit code for it.
    #[must_use]
    pub fn failure(self, failure: &Failure) -> ExitCode {
        if self.json {
            let line = json!({
                "error": failure.to_string(),
                "hint": failure.hint(),
                "exit_code": failure.code(),
            });
            anstream::eprintln!("{line}");
        } else {
            let words = plain(&failure.to_string());
            anstream::eprintln!("{} {words}", paint(BAD, "error:"));
            if let Some(hint) = failure.hint() {
                anstream::eprintln!("{} {hint}", paint(STRONG, "hint:"));
            }
        }
        ExitCode::from(failure.code())
    }
}

/// Text of somebody else's, on one line and without what a terminal would obey: a group's title may hold anything.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || turns_text(c) { ' ' } else { c }).collect()
}

/// Bidi controls: they turn the order of what stands after them, so that a line reads as it was not written.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text in a style; the stream takes the style out where nobody would see it.
#[must_use]
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_can_not_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{9b}31m Сделка 🎉"), "a [2Jb c 31m Сделка 🎉");
        assert_eq!(plain("\u{202e}txt.exe\u{202c} \u{2066}a\u{2069} שלום"), " txt.exe   a  שלום");
    }
}
