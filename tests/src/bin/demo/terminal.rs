//! What the demo prints: headings, lines, and the time that slow parts take.

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Standard output, with colours and moving progress only where a person looks at it.
#[derive(Debug)]
pub struct Terminal {
    live: bool,
    colours: bool,
}

impl Terminal {
    /// Looks at what standard output is.
    pub fn new() -> Self {
        let live = std::io::stdout().is_terminal();
        Self { live, colours: live && std::env::var_os("NO_COLOR").is_none() }
    }

    /// A heading with a line of space above.
    pub fn heading(&self, text: &str) {
        self.print(&format!("\n{}\n", self.painted("1", text)));
    }

    /// A line under a heading.
    pub fn line(&self, label: &str, text: &str) {
        self.print(&format!("  {} {text}\n", self.painted("2", &format!("{label:<10}"))));
    }

    /// A line for what is neither result nor failure.
    pub fn note(&self, text: &str) {
        self.print(&format!("  {text}\n"));
    }

    /// A thing that is as it should be.
    pub fn success(&self, text: &str) {
        self.print(&format!("  {} {text}\n", self.painted("32", "✓")));
    }

    /// A thing that is not.
    pub fn failure(&self, text: &str) {
        self.print(&format!("  {} {text}\n", self.painted("31", "✗")));
    }

    /// Runs `work`, showing that it goes on and how long it took.
    pub async fn slow<T, E>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let started = Instant::now();
        if !self.live {
            self.print(&format!("  … {what}\n"));
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        tokio::pin!(work);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = ticks.tick() => if self.live {
                    self.print(&format!("\r\x1b[K  … {what} {:.0} s", started.elapsed().as_secs_f64()));
                },
            }
        };
        if self.live {
            self.print("\r\x1b[K");
        }
        let seconds = started.elapsed().as_secs_f64();
        match &outcome {
            Ok(_) => self.success(&format!("{what} ({seconds:.1} s)")),
            Err(_) => self.failure(&format!("{what} (after {seconds:.1} s)")),
        }
        outcome
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn print(&self, text: &str) {
        // A reader who left (`| head`) is no reason to fail; the exit code still tells the outcome.
        let mut out = std::io::stdout().lock();
        let _reader_left = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
