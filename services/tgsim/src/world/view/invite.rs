//! Invite links as admins see them.
use grammers_tl_types::{enums, types};

use crate::world::{InviteLink, Links};

impl Links {
    /// `chatInviteExported`. Counters that stand at zero are absent, as at Telegram.
    pub fn exported_view(&self, link: &InviteLink) -> enums::ExportedChatInvite {
        let some = |n: i32| (n > 0).then_some(n);
        types::ChatInviteExported {
            revoked: link.revoked,
            permanent: link.permanent,
            request_needed: link.request_needed,
            link: link.url(),
            admin_id: link.admin.0,
            date: link.date,
            start_date: link.start_date,
            expire_date: link.expire_date,
            usage_limit: link.usage_limit,
            usage: some(link.usage()),
            requested: some(self.waiting_on(&link.hash)),
            subscription_expired: None,
            title: (!link.title.is_empty()).then(|| link.title.clone()),
            subscription_pricing: None,
        }
        .into()
    }

    /// How many people wait on one link.
    pub fn waiting_on(&self, hash: &str) -> i32 {
        let waiting = self.requests.values().filter(|r| r.hash.as_deref() == Some(hash));
        i32::try_from(waiting.count()).unwrap_or(i32::MAX)
    }
}
