//! The machine's clock, moved on by a test: `QUEUEGRAM_TEST_CLOCK` names a file that holds whole seconds. All processes
//! that look at one file live at one time, and a day passes in a moment.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

const FILE: &str = "QUEUEGRAM_TEST_CLOCK";
/// Between two looks at the file.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Longest sleep in one go, as in the released build.
const SLEEP_MAX: Duration = Duration::from_secs(60);

static OFFSET: LazyLock<watch::Sender<TimeDelta>> = LazyLock::new(|| {
    let offset = watch::Sender::new(written().unwrap_or_default());
    if std::env::var_os(FILE).is_some() {
        let told = offset.clone();
        // A thread, since the clock is asked before there is a runtime, too.
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(LOOK_EVERY);
                look(&told);
            }
        });
    }
    offset
});

/// What stands in the file; nothing where it can't be read, as in the moment when it is written.
fn written() -> Option<TimeDelta> {
    let text = std::fs::read_to_string(std::env::var_os(FILE)?).ok()?;
    TimeDelta::try_seconds(text.trim().parse().ok()?)
}

fn look(offset: &watch::Sender<TimeDelta>) {
    if let Some(now) = written() {
        offset.send_if_modified(|then| std::mem::replace(then, now) != now);
    }
}

/// Looks itself, so that what comes after a move never happens before it.
pub fn now() -> DateTime<Utc> {
    look(&OFFSET);
    Utc::now() + *OFFSET.borrow()
}

pub async fn until(at: DateTime<Utc>) {
    let mut moved = OFFSET.subscribe();
    loop {
        let now = Utc::now() + *moved.borrow_and_update();
        let Ok(left) = (at - now).to_std() else { return };
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(SLEEP_MAX)) => {}
            Ok(()) = moved.changed() => {}
        }
    }
}
