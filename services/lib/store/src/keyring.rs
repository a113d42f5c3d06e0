//! The keys of the vault, several at a time: the first seals, all of them open. So a key is changed
//! without a moment in which some worker can't read what another has written: the new key is added
//! behind the old one everywhere, then put before it, then every record is sealed anew, and only then
//! the old one is taken away.
//!
//! As text: one key to a line, 32 bytes in hex or base64; empty lines and those that begin with `#`
//! count for nothing. In an environment variable the keys may stand on one line, with spaces between.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::{Slot, VaultKey, key_id};

/// The most keys at a time.
const KEYS_MAX: usize = 16;

/// The keys, the sealing one first.
pub(crate) struct KeyRing {
    sealing: VaultKey,
    /// Those that only open.
    others: Vec<VaultKey>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing(***, ids {})", self.ids().join(" "))
    }
}

impl From<VaultKey> for KeyRing {
    fn from(sealing: VaultKey) -> Self {
        Self { sealing, others: Vec::new() }
    }
}

impl KeyRing {
    /// Reads the keys. The error says what is wrong, and shows nothing of the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut keys: Vec<VaultKey> = Vec::new();
        for (n, line) in lines {
            for word in line.split_whitespace() {
                let Some(key) = VaultKey::parse(word) else {
                    return Err(format!("line {} does not hold 32 bytes in hex or base64", n + 1));
                };
                if keys.iter().any(|known| known.id() == key.id()) {
                    return Err(format!("line {} holds a key for the second time", n + 1));
                }
                keys.push(key);
            }
        }
        if keys.len() > KEYS_MAX {
            return Err(format!("holds {} keys, more than {KEYS_MAX}", keys.len()));
        }
        let mut keys = keys.into_iter();
        let sealing = keys.next().ok_or("does not hold 32 bytes in hex or base64")?;
        Ok(Self { sealing, others: keys.collect() })
    }

    /// The keys' ids, the sealing one's first.
    pub fn ids(&self) -> Vec<String> {
        self.all().map(VaultKey::id_hex).collect()
    }

    /// Whether this was sealed with the sealing key.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        key_id(sealed) == Some(self.sealing.id())
    }

    pub fn seal(&self, slot: Slot<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.sealing.seal(slot, plain)
    }

    pub fn open(&self, slot: Slot<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let wanted = key_id(sealed);
        let key = self.all().find(|key| Some(key.id()) == wanted).unwrap_or(&self.sealing);
        match key.open(slot, sealed) {
            Err(StoreError::WrongKey { what, sealed_with, .. }) => {
                Err(StoreError::WrongKey { what, sealed_with, given: self.ids().join(", ") })
            }
            opened => opened,
        }
    }

    /// 32 secret bytes for a use that is named, from the sealing key.
    pub fn derive(&self, info: &str) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        self.sealing.derive(info)
    }

    fn all(&self) -> impl Iterator<Item = &VaultKey> {
        std::iter::once(&self.sealing).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot<'_> = Slot { instance: "acme", kind: "session" };
    const A: &str = "0101010101010101010101010101010101010101010101010101010101010101";
    const B: &str = "0202020202020202020202020202020202020202020202020202020202020202";

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    #[test]
    fn the_first_seals_and_every_one_opens() {
        let (old, both) = (ring(A), ring(&format!("# new\n{B}\n\n# old\n{A}\n")));
        let sealed = old.seal(SLOT, b"secret").unwrap();
        assert_eq!(both.open(SLOT, &sealed).unwrap().as_slice(), b"secret");
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        let anew = both.seal(SLOT, b"secret").unwrap();
        assert!(both.is_current(&anew));
        assert_eq!(ring(B).open(SLOT, &anew).unwrap().as_slice(), b"secret");
        let wrong = old.open(SLOT, &anew).unwrap_err().to_string();
        assert!(wrong.contains(&ring(B).ids()[0]), "{wrong}");
        assert!(wrong.contains(&old.ids()[0]), "{wrong}");
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line() {
        for (text, word) in [
            (String::new(), "32 bytes"),
            (String::from("# nothing\n"), "32 bytes"),
            (format!("{A}\nnot a key\n"), "line 2"),
            (format!("{A}\n{B}\n{A}"), "line 3"),
            ((0..17).map(|n| format!("{n:064x}\n")).collect(), "more than 16"),
        ] {
            let why = KeyRing::parse(&text).err().unwrap();
            assert!(why.contains(word), "{why}");
            assert!(!why.contains("0101"), "{why}");
        }
        assert_eq!(ring(&format!("{A} {B}")).ids().len(), 2, "on one line, as in a variable");
    }
}
