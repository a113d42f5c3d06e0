//! `group.create`: makes a group, puts people and bots in, and tells its `chat_id`.

use proto::event;
use proto::fault::code;
use proto::{Fault, MemberOutcome, MemberStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;
use telegram::calls::groups::NewGroup;
use telegram::{GroupKind, UserPeer};

use crate::admins;
use crate::contract::examples;
use crate::cx::Cx;
use crate::groups::{Found, Group};
use crate::limits::Class;
use crate::links;
use crate::members::{self, Fate, Roll};
use crate::method::{Done, Example, Method};
use crate::params::{About, Invitees, OnBlocked, Title};
use crate::people::{self, Person, Search};
use crate::reconcile::creation::Creation;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Creates a group and puts people and bots in. Where `external_ref` names a live group already,
/// the result is that group with `"existing": true`, and nothing is made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreate {
    /// The group's title.
    pub title: Title,
    /// Who is put in.
    #[serde(default)]
    pub members: Invitees,
    /// Who is put in and made an admin.
    #[serde(default)]
    pub admins: Invitees,
    /// What is made.
    #[serde(default)]
    pub kind: Kind,
    /// The group's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Whether the answer has the group's invite link.
    #[serde(default, deserialize_with = "proto::loose::boolean")]
    pub invite_link: bool,
    /// What to do for people whom their privacy settings keep out.
    #[serde(default)]
    pub on_blocked: OnBlocked,
    /// Whether unknown phone numbers may be put into the account's address book.
    #[serde(default, deserialize_with = "proto::loose::boolean")]
    pub import_contacts: bool,
}

/// The kind of a new group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Up to 200,000 members, admins with rights, links with conditions.
    #[default]
    Supergroup,
    /// Up to 200 members. Telegram makes none without at least one other person.
    Basic,
}

/// The group.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Created {
    /// Whether the group was there already, bound to the command's `external_ref`.
    pub existing: bool,
    /// The group's title.
    pub title: String,
    /// The group's invite link, if it was asked for.
    pub link: Option<String>,
    /// The outcome of each of `members`, in their order.
    pub members: Vec<MemberOutcome>,
    /// The outcome of each of `admins`, in their order; `error_code` tells why somebody who was
    /// added is no admin.
    pub admins: Vec<MemberOutcome>,
}

/// Telegram's word for an account that can be in no more groups.
const TOO_MANY_GROUPS: &str = "CHANNELS_TOO_MUCH";

impl Method for GroupCreate {
    type Output = Created;

    const CLASSES: &'static [Class] = &[
        Class::Create,
        Class::Invite,
        Class::InviteKnown,
        Class::Admin,
        Class::Link,
        Class::Resolve,
        Class::Read,
    ];

    fn example() -> Example {
        Example {
            params: json!({
                "title": "Deal 77", "members": ["@client", "+15550102"], "invite_link": true,
                "admins": [{ "instance": "acme-support" }], "on_blocked": "invite_link",
            }),
            result: json!({
                "existing": false, "title": "Deal 77", "link": "https://t.me/+AbCdEfGhIjKlMnOp",
                "members": [
                    examples::member(json!("@client"), 5_000_000_001, "added"),
                    examples::member(json!("+15550102"), 5_000_000_002, "added"),
                ],
                "admins": [
                    examples::member(json!({ "instance": "acme-support" }), 5_000_000_003, "added"),
                ],
            }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Created>, Stop> {
        if let Some(group) = existing(cx).await? {
            return self.answer_existing(cx, group).await;
        }
        if self.kind == Kind::Supergroup && !cx.has_step("create") && !cx.is_suspect() {
            cx.has_room()?;
        }
        let search = Search { import_contacts: self.import_contacts, ..Search::default() };
        let members = people::find_all(cx, "members", self.members.as_slice(), search).await?;
        let admins = people::find_all(cx, "admins", self.admins.as_slice(), search).await?;
        let everybody = [members.as_slice(), admins.as_slice()].concat();
        let users = members::distinct(&everybody);

        let mut roll = Roll::default();
        let group = self.make(cx, &users, &everybody, &mut roll).await?;
        let furnished = self.furnish(cx, &group, &users, &admins, &mut roll).await;
        let (link, lacking) = match furnished {
            Ok(link) => (link, None),
            // The group is there, and everybody's outcome so far is worth telling.
            Err(Stop::Fault(fault)) => {
                roll.set_unreached(&users, &fault);
                (None, Some(fault))
            }
            Err(stop) => return Err(stop),
        };
        let lacking = lacking
            .or_else(|| roll.lacking(&members, "members"))
            .or_else(|| roll.lacking(&admins, "admins"));
        let result = Created {
            existing: false,
            title: self.title.as_str().to_owned(),
            link,
            members: roll.outcomes(&members),
            admins: roll.outcomes(&admins),
        };
        Ok(Done::in_chat(group.chat_id, result).lacking(lacking))
    }
}

impl GroupCreate {
    /// The one call that must never be made twice; the group is bound to the command's
    /// `external_ref` before it counts as made.
    async fn make(
        &self,
        cx: &mut Cx<'_>,
        users: &[UserPeer],
        everybody: &[Person],
        roll: &mut Roll,
    ) -> Result<Group, Stop> {
        let account = cx.account();
        let title = self.title.as_str();
        let others: Vec<_> = users.iter().filter(|user| !user.is_self).cloned().collect();
        let made: NewGroup = match self.kind {
            Kind::Supergroup => self.make_supergroup(cx, title).await?,
            Kind::Basic => {
                if others.is_empty() {
                    return Err(Stop::Fault(nobody_to_start_with(everybody)));
                }
                let creation = Creation { kind: GroupKind::Basic, title, users: &others };
                let step = Step::once("create", Class::Create);
                let made = cx
                    .make_group(step, &creation, || {
                        calls::groups::create_basic(&account, title, &others)
                    })
                    .await?;
                for user in &others {
                    let missing = made.missing.iter().find(|missing| missing.user_id == user.id);
                    let added = || Fate::of(MemberStatus::Added);
                    let fate = missing.map_or_else(added, |missing| Fate::missing(user, missing));
                    roll.set(user.id, fate);
                }
                made
            }
        };
        for user in users.iter().filter(|user| user.is_self) {
            roll.set(user.id, Fate::of(MemberStatus::AlreadyMember));
        }
        let group = Group::new(made.group, title);
        // Told again only where the work broke off before it was surely told: a command may be
        // parked and resumed many times.
        if !cx.went_past("create") {
            cx.tell(group.chat_id, event::GroupCreated { title: title.to_owned() }).await;
        }
        Ok(group)
    }

    /// Where Telegram says that the account is in too many groups, that is what the next ones are
    /// told before they ask.
    async fn make_supergroup(&self, cx: &mut Cx<'_>, title: &str) -> Result<NewGroup, Stop> {
        let (account, about) = (cx.account(), self.about.as_ref().map_or("", About::as_str));
        let (step, is_new) = (Step::once("create", Class::Create), !cx.has_step("create"));
        let creation = Creation { kind: GroupKind::Supergroup, title, users: &[] };
        let call = || calls::groups::create_supergroup(&account, title, about);
        match cx.make_group(step, &creation, call).await {
            Ok(made) => {
                if is_new {
                    cx.groups_changed(made.group.chat_id(), true).await;
                }
                Ok(made)
            }
            Err(Failure::Refused(refusal)) if refusal.is(TOO_MANY_GROUPS) => {
                Err(cx.met_full().await)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Everything after the making, each a step that is made up for after a crash.
    async fn furnish(
        &self,
        cx: &mut Cx<'_>,
        group: &Group,
        users: &[UserPeer],
        admins: &[Person],
        roll: &mut Roll,
    ) -> Result<Option<String>, Stop> {
        let account = cx.account();
        members::add(cx, group, users, roll).await?;
        admins::promote(cx, group, &members::distinct(admins), roll).await?;
        if let (Kind::Basic, Some(about)) = (self.kind, &self.about) {
            cx.step(Step::repeatable("about", Class::Admin), || {
                calls::groups::edit_about(&account, &group.peer, about.as_str())
            })
            .await?;
        }
        members::help_blocked(cx, group, self.on_blocked, roll).await?;
        if self.invite_link {
            return Ok(Some(links::primary(cx, group).await?.url));
        }
        Ok(None)
    }

    async fn answer_existing(&self, cx: &mut Cx<'_>, group: Group) -> Result<Done<Created>, Stop> {
        let link = match self.invite_link {
            true => Some(links::primary(cx, &group).await?.url),
            false => None,
        };
        let (members, admins) = (Vec::new(), Vec::new());
        let result = Created { existing: true, title: group.title, link, members, admins };
        Ok(Done::in_chat(group.chat_id, result))
    }
}

/// The live group that the command's `external_ref` names already, unless this very command made it.
async fn existing(cx: &mut Cx<'_>) -> Result<Option<Group>, Stop> {
    let made_before = cx.is_suspect() && cx.made_since(cx.not_before()).await?.is_some();
    if made_before || cx.has_step("create") {
        return Ok(None);
    }
    let Some(chat_id) = cx.bound_chat().await? else { return Ok(None) };
    match cx.find_group(chat_id).await? {
        Found::Live(group) => Ok(Some(group)),
        Found::Gone => {
            cx.forget_group(chat_id).await?;
            Ok(None)
        }
        Found::OutOfSight => Err(Stop::Fault(Fault::invalid(
            code::CHAT_OUT_OF_SIGHT,
            format!(
                "external_ref: names the group {chat_id}, which the account can't see among its \
                 newest dialogs; write something there, or use another external_ref"
            ),
        ))),
    }
}

fn nobody_to_start_with(everybody: &[Person]) -> Fault {
    let unknown = everybody.iter().find_map(|person| person.found.as_ref().err());
    unknown.map_or_else(
        || {
            Fault::invalid(
                "USERS_TOO_FEW",
                "params.members: Telegram makes a basic group only with somebody else in it",
            )
        },
        |why| why.fault("members"),
    )
}
