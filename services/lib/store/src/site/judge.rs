//! Whose a vault is, by what it says itself and what Redis says.

use super::{Place, SiteRecord};

/// The highest claim that Redis knows of a vault or its copies; 0 for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub claim: u64,
    pub site: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody has worked with it yet.
    Nobodys,
    /// This site's.
    Ours(SiteRecord),
    /// Another's: nothing may be connected.
    Theirs { claim: u64, why: &'static str },
}

/// `here` is what stands in Redis under this installation's prefix; `ours` and `theirs` the claims
/// under which this process has seen it to be so.
pub(super) fn judge(
    record: Option<&SiteRecord>,
    here: Option<&str>,
    named: &Named,
    place: &Place,
    (ours, theirs): (Option<u64>, Option<u64>),
) -> Verdict {
    let Some(record) = record else { return Verdict::Nobodys };
    let not_ours = |why| Verdict::Theirs { claim: record.claim, why };
    let elsewhere =
        named.claim > record.claim || (named.claim == record.claim && named.site != record.site);
    if elsewhere {
        return not_ours("a copy of this vault was claimed by another site");
    }
    match here.map(|here| here.split_once('|').unwrap_or((here, ""))) {
        Some((site, _)) if site != record.site => {
            not_ours("this vault belongs to another site, and this Redis to this one")
        }
        Some((_, vault)) if vault != place.vault => {
            not_ours("this Redis knows this vault at another address (vault.url): is it a copy?")
        }
        Some(_) => Verdict::Ours(record.clone()),
        None if theirs == Some(record.claim) => {
            not_ours("this vault was found to be another site's, and Redis was emptied since")
        }
        None if ours == Some(record.claim) || record.place == place.whole => {
            Verdict::Ours(record.clone())
        }
        None => not_ours(
            "this vault was made at another place, and this Redis does not know it: is it a copy?",
        ),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn record(site: &str, claim: u64) -> SiteRecord {
        SiteRecord {
            v: 1,
            vault: "v".to_owned(),
            site: site.to_owned(),
            claim,
            place: "home".to_owned(),
            claimed_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_finding_is_judged() {
        let never = (None, None);
        for (here, named, (vault, whole), known, ours) in [
            // As it should be; also where the worker runs on another machine of the site.
            (Some("a|url"), (2, "a"), ("url", "home"), never, true),
            (Some("a|url"), (2, "a"), ("url", "away"), never, true),
            (Some("a|url"), (0, ""), ("url", "home"), never, true),
            // Redis was emptied: known by who has seen it, or who stands at the place.
            (None, (0, ""), ("url", "away"), (Some(2), None), true),
            (None, (0, ""), ("url", "home"), never, true),
            (None, (0, ""), ("url", "away"), never, false),
            (None, (0, ""), ("url", "away"), (Some(1), None), false),
            // A copy: beside an empty Redis, beside another site's, beside the first's own.
            (None, (2, "a"), ("copy", "away"), never, false),
            (Some("b|copy"), (0, ""), ("copy", "away"), never, false),
            (Some("a|url"), (2, "a"), ("copy", "away"), never, false),
            // It was claimed elsewhere, and stays so though Redis is emptied.
            (Some("a|url"), (3, "b"), ("url", "home"), (Some(2), None), false),
            (Some("b|url"), (2, "b"), ("url", "home"), (Some(2), None), false),
            (None, (0, ""), ("url", "home"), (None, Some(2)), false),
            (None, (0, ""), ("url", "home"), (None, Some(1)), true),
        ] {
            let place = Place { vault: vault.to_owned(), whole: whole.to_owned() };
            let told = Named { claim: named.0, site: named.1.to_owned() };
            let verdict = judge(Some(&record("a", 2)), here, &told, &place, known);
            let found = matches!(verdict, Verdict::Ours(_));
            assert_eq!(found, ours, "{here:?} {named:?} {vault} {whole} {known:?}: {verdict:?}");
        }
        let place = Place { vault: "url".to_owned(), whole: "home".to_owned() };
        let fresh = judge(None, None, &Named::default(), &place, never);
        assert_eq!(fresh, Verdict::Nobodys);
    }
}
