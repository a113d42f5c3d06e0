//! Asking a person, or the script that stands in for one: at a terminal with a prompt (secrets without echo), otherwise
//! the next line of standard input.

use std::io::{BufRead, ErrorKind, IsTerminal, Write};

use chassis::Secret;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::Failure;

/// Asks for a line. `instead` names the option that makes the question needless, for the error where nobody answers.
pub async fn line(question: &str, instead: &str) -> Result<String, Failure> {
    let question = question.to_owned();
    let typed = blocking(move || {
        if std::io::stdin().is_terminal() {
            let mut screen = std::io::stderr();
            write!(screen, "{question}")?;
            screen.flush()?;
        }
        next_line()
    });
    typed.await?.ok_or_else(|| {
        Failure::Usage(format!("standard input ended where an answer was wanted; see {instead}"))
    })
}

/// Asks for a secret, without echo.
pub async fn secret(question: &str) -> Result<Secret, Failure> {
    let question = question.to_owned();
    let _terminal = Terminal::remember();
    let typed = blocking(move || {
        if std::io::stdin().is_terminal() {
            return rpassword::prompt_password(question).map(Some);
        }
        next_line()
    });
    let typed = typed.await?.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    match typed.filter(|text| !text.is_empty()) {
        Some(text) => Ok(Secret::new(text)),
        None => Err(Failure::Usage(String::from("an answer was wanted and none was given"))),
    }
}

fn next_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then_some(line))
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let asked = tokio::task::spawn_blocking(ask).await.map_err(anyhow::Error::from)?;
    match asked {
        Ok(answer) => Ok(answer),
        // Ctrl-C at a prompt without echo arrives as a character.
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(Failure::Interrupted),
        Err(error) => Err(Failure::Unexpected(error.into())),
    }
}

/// The terminal as it was before the echo was turned off. A login that ends while the prompt still waits drops this, so
/// that the person's shell shows again what is typed.
struct Terminal(Option<Termios>);

impl Terminal {
    fn remember() -> Self {
        Self(tcgetattr(std::io::stdin()).ok())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Where there is no terminal any more, nobody misses its echo.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
