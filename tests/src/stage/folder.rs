//! A private folder that is removed when its owner ends, in whatever way.
//!
//! A destructor does not run on SIGKILL, so a tiny shell waits on a pipe from the owner: the pipe
//! closes with the owner, and the shell then removes the folder (and runs a last command, which takes
//! Compose's containers down).

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

/// What the shell does: wait for the end of its standard input; run the last command, if there is
/// one; remove the folder, several times, because a server that is being killed may still write.
const WARDEN: &str = r#"
trap '' INT HUP TERM
folder=$1; shift
read -r _ || true
[ $# = 0 ] || "$@" >/dev/null 2>&1
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$folder" 2>/dev/null
  [ -e "$folder" ] || exit 0
  sleep 0.1
done
exit 1
"#;

/// A folder under the system's folder for temporary files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    warden: Child,
}

impl Folder {
    /// Makes a new one, whose name starts with `queuegram-` and `label`.
    ///
    /// # Errors
    /// When it can't be made or no shell is there to watch over it.
    pub fn new(label: &str) -> Result<Self> {
        Self::with_last_command(label, &[])
    }

    /// The same, with a command to run at the end, before the folder is removed.
    ///
    /// # Errors
    /// As [`Folder::new`].
    pub fn with_last_command(label: &str, last_command: &[String]) -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix(&format!("queuegram-{label}-"))
            .tempdir()
            .context("making a private folder")?
            .keep();
        let warden = Command::new("sh")
            .arg("-c")
            .arg(WARDEN)
            .arg("queuegram-warden")
            .arg(&path)
            .args(last_command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the shell that removes the private folder")?;
        Ok(Self { path, warden })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file or folder in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.warden.stdin.take());
        let _removed = self.warden.wait();
    }
}
