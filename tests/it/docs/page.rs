//! A document in Markdown, as far as the tests look into one: words, links, headings, tables, and
//! what stands in code.

use std::fs;
use std::path::Path;

use queuegram_tests::stage::scripts::repository;

/// Everything that users read.
const PAGES: [&str; 8] = [
    "README.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/commands.md",
    "docs/operations.md",
    "docs/tgsim.md",
    "proto/METHODS.md",
    "services/tgsim/README.md",
];

/// All of them.
pub fn all() -> Vec<Page> {
    PAGES.into_iter().map(Page::read).collect()
}

/// One document.
pub struct Page {
    pub path: String,
    pub text: String,
}

impl Page {
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(repository().join(path));
        Self { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    /// Whether the word stands there by itself, not as a part of a longer one.
    pub fn has_word(&self, word: &str) -> bool {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&self.text[..at], &self.text[at + word.len()..]);
            !before.ends_with(part) && !after.starts_with(part)
        })
    }

    /// The texts of the fenced blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if let Some(fenced) = line.trim_start().strip_prefix("```") {
                let block: Vec<&str> =
                    lines.by_ref().take_while(|line| line.trim_start() != "```").collect();
                if fenced == language {
                    found.push(block.join("\n"));
                }
            }
        }
        found
    }

    /// The text without its fenced blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let outside = self.text.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        });
        outside.collect::<Vec<_>>().join("\n")
    }

    /// The cells of every row of every table, without the ticks of code.
    pub fn table_rows(&self) -> Vec<Vec<String>> {
        let prose = self.prose();
        let rows = prose.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        rows.map(|row| {
            row.split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect()
    }

    /// What follows `program` where it is called: inline code that begins with it, and lines of
    /// shell blocks. Each call as its words, at least one.
    pub fn commands(&self, program: &str) -> Vec<Vec<String>> {
        let shell = self.blocks("sh").join("\n");
        let mut lines: Vec<String> =
            shell.lines().map(|line| line.trim_start().to_owned()).collect();
        let prose = self.prose();
        let inline = prose.split('`').skip(1).step_by(2);
        lines.extend(inline.map(|code| code.replace('\n', " ")));
        let calls = lines.iter().filter_map(|line| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let at = words.iter().position(|word| word == program)?;
            // Only settings may stand before a program.
            let called = words[..at].iter().all(|word| word.contains('='));
            let rest = words[at + 1..].to_vec();
            (called && !rest.is_empty()).then_some(rest)
        });
        calls.collect()
    }

    /// The targets of its links.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let parts = prose.split("](").skip(1);
        parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
    }

    /// Whether a link of this document leads to a file that is there and a heading that is in it.
    pub fn resolves(&self, link: &str) -> bool {
        if link.starts_with("https://") {
            return true;
        }
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let folder = Path::new(&self.path).parent().unwrap();
        let target = match file {
            "" => repository().join(&self.path),
            file => repository().join(folder).join(file),
        };
        if heading.is_empty() || !target.is_file() {
            return target.exists();
        }
        let text = fs::read_to_string(&target).unwrap();
        Self { path: link.to_owned(), text }.headings().iter().any(|other| other == heading)
    }

    /// Its headings, in the form in which links name them.
    fn headings(&self) -> Vec<String> {
        let prose = self.prose();
        let titles = prose.lines().filter(|line| line.starts_with('#'));
        titles.map(|title| anchor(title.trim_start_matches('#').trim())).collect()
    }
}

/// GitHub's form: lower case, blanks to dashes, all else that is no word left out.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
