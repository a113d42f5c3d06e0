//! Finding an invite link again. The call gives it a title of its own, the *marker*, which is edited
//! out once the link is known. The marker follows from the command and the step, so it can also be
//! looked for where the ledger was lost.
//!
//! Where there is no note, a link whose marker is edited out already may be this command's too: one
//! of the same terms, made since, leaves it open.

use chrono::{DateTime, TimeDelta, Utc};
use proto::{Command, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::calls::links::{Link, LinkOptions};
use telegram::{GroupPeer, calls};

use super::{Evidence, Trace};
use crate::cx::Cx;
use crate::limits::Class;
use crate::step::Step;
use crate::stop::Failure;

/// Links to a page, and pages that are looked through at most.
const PAGE: u32 = 100;
const PAGES_MAX: usize = 20;
/// How far Telegram's clock may lie from ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// How a link is found again.
pub struct Export {
    /// Where.
    pub group: GroupPeer,
    /// Its title until it is known.
    pub marker: String,
    /// What it is asked to be.
    pub options: LinkOptions,
}

#[derive(Serialize, Deserialize)]
struct Note {
    marker: String,
    at: DateTime<Utc>,
}

/// The marker of one step of a command: nobody else's, and within the 32 characters of a title.
pub fn marker(command: &Command, step: &str) -> String {
    let (instance, id) = (&command.instance, &command.id);
    let hash = canonical::sha256_hex(format!("{instance}\n{id}\n{step}").as_bytes());
    format!("qg-{}", hash.get(..24).unwrap_or(&hash))
}

impl Trace for Export {
    type Answer = Link;

    async fn note(&self, cx: &mut Cx<'_>) -> Result<Value, Failure> {
        let note = Note { marker: self.marker.clone(), at: cx.now() };
        Ok(serde_json::to_value(note).unwrap_or_default())
    }

    async fn look(&self, cx: &mut Cx<'_>, note: &Value) -> Result<Evidence<Link>, Failure> {
        let noted: Option<Note> = serde_json::from_value(note.clone()).ok();
        let since = noted.as_ref().map_or_else(|| cx.not_before(), |note| note.at) - CLOCKS_DIFFER;
        let Some(mut links) = self.since(cx, since, false).await? else {
            return Ok(Evidence::none("the group has too many links to look through"));
        };
        let is_ours = |link: &Link| link.title.as_deref() == Some(self.marker.as_str());
        let found: Vec<Link> = links.extract_if(.., |link| is_ours(link)).collect();
        if noted.is_none() && found.is_empty() {
            let Some(revoked) = self.since(cx, since, true).await? else {
                return Ok(Evidence::none("the group has too many links to look through"));
            };
            if links.iter().chain(&revoked).any(|link| self.could_be(link)) {
                return Ok(Evidence::none("a link of the same terms may be this command's"));
            }
        }
        Ok(Evidence { found, gap: None })
    }
}

impl Export {
    /// The account's links made since then; `None` where there are too many.
    async fn since(
        &self,
        cx: &mut Cx<'_>,
        since: DateTime<Utc>,
        revoked: bool,
    ) -> Result<Option<Vec<Link>>, Failure> {
        let (account, group) = (cx.account(), self.group);
        let mut links: Vec<Link> = Vec::new();
        for _ in 0..PAGES_MAX {
            let after = links.last().cloned();
            let page = cx
                .step(Step::read("links", Class::Read), || {
                    calls::links::list(&account, &group, None, revoked, after.as_ref(), PAGE)
                })
                .await?;
            let whole = page.links.len() < PAGE as usize;
            links.extend(page.links);
            if whole || links.last().is_some_and(|oldest| oldest.created_at < since) {
                links.retain(|link| link.created_at >= since);
                return Ok(Some(links));
            }
        }
        Ok(None)
    }

    fn could_be(&self, link: &Link) -> bool {
        let options = &self.options;
        !link.primary
            && link.usage_limit == options.usage_limit
            && link.approval == options.approval
            && link.title == options.title
            && link.expires_at.map(|at| at.timestamp())
                == options.expires_at.map(|at| at.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(options: LinkOptions) -> Export {
        let group = GroupPeer::basic("-5".parse().unwrap()).unwrap();
        Export { group, marker: "qg-1".to_owned(), options }
    }

    fn link(options: LinkOptions) -> Link {
        Link {
            url: "https://t.me/+AbCdEfGhIjKlMnOp".to_owned(),
            title: options.title,
            primary: false,
            revoked: false,
            approval: options.approval,
            expires_at: options.expires_at,
            usage_limit: options.usage_limit,
            usage: 0,
            requested: 0,
            creator_id: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_link_of_other_terms_is_not_taken_for_it() {
        let once = LinkOptions { usage_limit: Some(1), ..LinkOptions::default() };
        let named = LinkOptions { title: Some("For Ann".to_owned()), ..once.clone() };
        let asking = LinkOptions { approval: true, ..LinkOptions::default() };
        let all = [LinkOptions::default(), once, named, asking];
        for (i, asked) in all.iter().enumerate() {
            for (j, made) in all.iter().enumerate() {
                let could_be = export(asked.clone()).could_be(&link(made.clone()));
                assert_eq!(could_be, i == j, "{asked:?} and {made:?}");
            }
        }
        let primary = Link { primary: true, ..link(LinkOptions::default()) };
        assert!(!export(LinkOptions::default()).could_be(&primary));
    }
}
