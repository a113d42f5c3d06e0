//! Invite links, as far as several methods need them.

use std::borrow::Cow;

use telegram::calls;
use telegram::calls::links::{Link, LinkEdit, LinkOptions};

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::reconcile::export::{Export, marker};
use crate::step::Step;
use crate::stop::Stop;

/// The account's primary link of a group; where it has none yet, one is made.
///
/// Which link that is decides what `group.revoke_invite_link` revokes, so the answer is kept: after
/// a crash the link that has become primary meanwhile must not be revoked as well.
pub async fn primary(cx: &mut Cx<'_>, group: &Group) -> Result<Link, Stop> {
    let account = cx.account();
    let step = Step::decisive_read("primary_link", Class::Read);
    let full = cx.step(step, || calls::groups::full(&account, &group.peer)).await?;
    match full.primary_link {
        Some(link) => Ok(link),
        None => make(cx, group, "export", LinkOptions::default()).await,
    }
}

/// Makes a link, under the name of the step. It is made with a marker for a title, by which it is
/// found again where Telegram's answer is lost; then the marker gives way to the asked title. A link
/// is told only after that.
pub async fn make(
    cx: &mut Cx<'_>,
    group: &Group,
    name: impl Into<Cow<'static, str>>,
    options: LinkOptions,
) -> Result<Link, Stop> {
    let (account, step) = (cx.account(), Step::once(name, Class::Link));
    let marker = marker(cx.command, &step.name);
    let marked = LinkOptions { title: Some(marker.clone()), ..options.clone() };
    let titled = Step::repeatable(format!("title:{}", step.name), Class::Link);
    let edit =
        LinkEdit { title: Some(options.title.clone().unwrap_or_default()), ..LinkEdit::default() };
    let export = Export { group: group.peer, marker, options };
    let call = || calls::links::export(&account, &group.peer, &marked);
    let link = cx.durable(step, &export, call, |_| std::future::ready(Ok(()))).await?;
    let call = || calls::links::edit(&account, &group.peer, &link.url, &edit);
    Ok(cx.step(titled, call).await?)
}

/// A link for one person who can't be added: it works once.
pub async fn single_use(cx: &mut Cx<'_>, group: &Group, user_id: i64) -> Result<Link, Stop> {
    let options = LinkOptions { usage_limit: Some(1), ..LinkOptions::default() };
    make(cx, group, format!("link_for:{user_id}"), options).await
}

/// Whether a text is an invite link's address: `t.me/+…` or the older `t.me/joinchat/…`.
pub fn is_invite_link(text: &str) -> bool {
    let address = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
    let hash = ["t.me/+", "t.me/joinchat/", "telegram.me/+", "telegram.me/joinchat/"]
        .into_iter()
        .find_map(|prefix| address.strip_prefix(prefix));
    hash.is_some_and(|hash| {
        (8..=64).contains(&hash.len())
            && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::is_invite_link;

    #[test]
    fn both_forms_of_invite_links_are_known() {
        assert!(is_invite_link("https://t.me/+AbCdEfGhIjKlMnOp"));
        assert!(is_invite_link("t.me/joinchat/AbCdEfGhIjKlMnOp"));
        assert!(!is_invite_link("https://t.me/somebody"));
        assert!(!is_invite_link("https://example.org/+AbCdEfGhIjKlMnOp"));
        assert!(!is_invite_link("https://t.me/+"));
    }
}
