//! The groups that Queuegram made or that are bound to a caller's key (`external_ref`): which key
//! names which group. A group must be known here before the step that made it counts as executed,
//! so changes go to the vault first; reading is from memory, which the owner alone changes.

mod book;

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use proto::{ChatId, CommandId, ExternalRef, InstanceId};
use tokio::sync::Mutex;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::vault::{Kind, Vault};

pub(crate) use book::Book;
pub use book::{GroupRecord, Origin};

/// One instance's groups, for its owner; cheap to clone.
#[derive(Clone)]
pub struct Groups {
    vault: Vault,
    book: Arc<RwLock<Book>>,
    /// One change at a time, each on top of the one before.
    writing: Arc<Mutex<()>>,
}

impl Groups {
    /// Reads an instance's groups. To be done after its lease was taken: what another owner writes
    /// later is not seen.
    ///
    /// # Errors
    /// The vault can't be asked; a record that can't be read.
    pub async fn open(vault: &Vault, instance: &InstanceId) -> Result<Self, StoreError> {
        let book = match vault.get(instance, Kind::Groups).await? {
            Some(stored) => Book::read(instance, &stored.content)?,
            None => Book::default(),
        };
        Ok(Self {
            vault: vault.clone(),
            book: Arc::new(RwLock::new(book)),
            writing: Arc::default(),
        })
    }

    /// The group that a caller's key names.
    ///
    /// # Errors
    /// None: it is read from memory.
    pub async fn chat_of(&self, external_ref: &ExternalRef) -> Result<Option<ChatId>, StoreError> {
        Ok(self.read(|book| book.chat_of(external_ref)))
    }

    /// What is known of a group, by its present id or one that it had before it was migrated.
    ///
    /// # Errors
    /// None: it is read from memory.
    pub async fn get(&self, chat_id: ChatId) -> Result<Option<GroupRecord>, StoreError> {
        Ok(self.read(|book| book.get(chat_id).cloned()))
    }

    /// The groups that were made or bound last, newest first.
    ///
    /// # Errors
    /// None: it is read from memory.
    pub async fn newest(&self, most: usize) -> Result<Vec<ChatId>, StoreError> {
        Ok(self.read(|book| book.newest(most)))
    }

    /// Keeps a group, and binds the caller's key to it if one is given. Keeping it again changes
    /// nothing but the binding.
    ///
    /// # Errors
    /// Fenced; the vault can't be asked; the key names another group.
    pub async fn put(
        &self,
        lease: &Lease,
        chat_id: ChatId,
        external_ref: Option<&ExternalRef>,
        origin: Origin,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.change(lease, |book| book.put(chat_id, external_ref, origin, None, at)).await?;
        Ok(())
    }

    /// Keeps a group that a command has just made, as that command's.
    ///
    /// # Errors
    /// As for [`Groups::put`].
    pub async fn put_made(
        &self,
        lease: &Lease,
        chat_id: ChatId,
        external_ref: Option<&ExternalRef>,
        by: &CommandId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let made = Origin::Created;
        self.change(lease, |book| book.put(chat_id, external_ref, made, Some(by), at)).await?;
        Ok(())
    }

    /// The group that a command made.
    ///
    /// # Errors
    /// None: it is read from memory.
    pub async fn made_by(&self, command: &CommandId) -> Result<Option<GroupRecord>, StoreError> {
        Ok(self.read(|book| book.made_by(command).cloned()))
    }

    /// Forgets a group: the keys that named it are free again.
    ///
    /// # Errors
    /// Fenced; the vault can't be asked.
    pub async fn remove(&self, lease: &Lease, chat_id: ChatId) -> Result<(), StoreError> {
        self.change(lease, |book| Ok(book.remove(chat_id))).await?;
        Ok(())
    }

    /// Telegram turned a basic group into a supergroup: what is known of it moves to the new id,
    /// and the old one goes on leading there. False where that was known.
    ///
    /// # Errors
    /// Fenced; the vault can't be asked.
    pub async fn migrate(
        &self,
        lease: &Lease,
        from: ChatId,
        to: ChatId,
    ) -> Result<bool, StoreError> {
        self.change(lease, |book| Ok(book.migrate(from, to))).await
    }

    /// Forgets all of an instance's groups, when it is removed.
    ///
    /// # Errors
    /// Fenced; the vault can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        self.vault.remove(lease, Kind::Groups).await?;
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Book::default();
        Ok(())
    }

    fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vault has a change before anybody can read it.
    async fn change(
        &self,
        lease: &Lease,
        change: impl FnOnce(&mut Book) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        let mut next = self.read(Book::clone);
        if !change(&mut next)? {
            return Ok(false);
        }
        self.vault.put(lease, Kind::Groups, &next.write()?).await?;
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}
