//! An account that ends: what others still see of it, and what not.
use super::{UserId, World};

impl World {
    /// Deletes an account. It stays where it was a member, as a "deleted account" without name, number or username;
    /// nobody finds it any more. Source: <https://core.telegram.org/api/account-deletion>.
    pub fn delete_account(&mut self, id: UserId) {
        let Some(user) = self.users.get_mut(&id) else { return };
        user.deleted = true;
        user.password = None;
        user.about.clear();
        user.contacts.clear();
        user.phone_book.clear();
        let (phone, username) = (std::mem::take(&mut user.phone), user.username.take());
        self.phones.remove(&phone);
        if let Some(name) = username {
            self.usernames.remove(&name.to_lowercase());
        }
        for other in self.users.values_mut() {
            other.contacts.remove(&id);
        }
    }
}
