//! Finding the people and bots that a command names.
//!
//! Telegram names a person to an account by number *and* an access hash that is good for that
//! account only, so a bare number helps only where the account has met the person. Before saying
//! `not_found` the account looks where it may have: its own memory, its contacts, its newest
//! dialogs, the members of the group in question and of bound groups.

use std::borrow::Cow;

use proto::fault::code;
use proto::{Fault, InstanceId, MemberInput, MemberOutcome, MemberStatus, MemberTarget, UserId};
use serde::{Deserialize, Serialize};
use telegram::calls::members::Filter;
use telegram::calls::people::{Imported, Resolved};
use telegram::{GroupPeer, Phone, UserPeer, calls};

use crate::cx::Cx;
use crate::limits::Class;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Newest dialogs that are looked through.
const DIALOGS_MAX: u32 = 100;
/// Members of a group that are looked through.
const MEMBERS_MAX: u32 = 200;
/// Bound groups whose members are looked through.
const GROUPS_MAX: usize = 5;

/// Somebody a command names: the name as given, and who it is.
#[derive(Debug, Clone)]
pub struct Person {
    /// As the author wrote it.
    pub input: MemberInput,
    /// Who that is, or why nobody was found.
    pub found: Result<UserPeer, NotFound>,
}

/// Why nobody was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    /// Telegram's error, or ours.
    pub code: String,
    /// What would help.
    pub help: Cow<'static, str>,
}

impl NotFound {
    fn new(code: &str, help: &'static str) -> Self {
        Self { code: code.to_owned(), help: Cow::Borrowed(help) }
    }

    /// As the fault of a command that is about this one person.
    pub fn fault(&self, field: &str) -> Fault {
        Fault::invalid(&self.code, format!("params.{field}: {}", self.help))
    }
}

impl Person {
    /// The outcome of somebody who was not found.
    pub fn not_found(&self, why: &NotFound) -> MemberOutcome {
        MemberOutcome {
            error_code: Some(why.code.clone()),
            ..MemberOutcome::new(&self.input, None, MemberStatus::NotFound)
        }
    }
}

/// Where and how people are looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search<'a> {
    /// The group that the command is about: its members are looked through too.
    pub group: Option<&'a GroupPeer>,
    /// Whether an unknown phone number may be put into the account's address book, which tells
    /// more than a look-up does and changes the other person's view of the account.
    pub import_contacts: bool,
}

/// Finds each of them, in the order given; `field` is the one of `params` that names them.
///
/// Who that is stays the same for the whole command, and nobody is looked for twice: finding people
/// draws on the scarcest of budgets, and what follows is named after whom it is about.
pub async fn find_all(
    cx: &mut Cx<'_>,
    field: &str,
    inputs: &[MemberInput],
    search: Search<'_>,
) -> Result<Vec<Person>, Stop> {
    let name = format!("people:{field}");
    let mut found: Vec<Result<UserPeer, NotFound>> = cx.recall(&name)?.unwrap_or_default();
    let mut places = Places::new(search);
    for input in inputs.iter().skip(found.len()) {
        match find(cx, input, &mut places).await {
            Ok(one) => found.push(one.map(without_names)),
            Err(Stop::Parked(not_yet)) => {
                cx.remember(&name, &found).await?;
                return Err(Stop::Parked(not_yet));
            }
            Err(stop) => return Err(stop),
        }
        if found.len() == inputs.len() {
            cx.remember(&name, &found).await?;
        }
    }
    let person = |(input, found): (&MemberInput, _)| Person { input: input.clone(), found };
    Ok(inputs.iter().zip(found).map(person).collect())
}

/// What calls need of somebody: the ledger has no use for people's names.
fn without_names(user: UserPeer) -> UserPeer {
    UserPeer { username: None, first_name: String::new(), ..user }
}

/// Finds the one person that a command is about; nobody found is the command's fault.
pub async fn find_one(cx: &mut Cx<'_>, input: &MemberInput) -> Result<UserPeer, Stop> {
    let mut places = Places::new(Search::default());
    find(cx, input, &mut places).await?.map_err(|why| Stop::Fault(why.fault("user")))
}

async fn find(
    cx: &mut Cx<'_>,
    input: &MemberInput,
    places: &mut Places<'_>,
) -> Result<Result<UserPeer, NotFound>, Stop> {
    match input.target() {
        MemberTarget::Id(id) => by_id(cx, *id, places).await,
        MemberTarget::Username(name) => by_username(cx, name).await,
        MemberTarget::Phone(phone) => by_phone(cx, phone, places.search.import_contacts).await,
        MemberTarget::Instance(instance) => by_instance(cx, instance, places).await,
    }
}

/// Another connected account: by its username, else wherever it was met, else by its number.
async fn by_instance(
    cx: &mut Cx<'_>,
    instance: &InstanceId,
    places: &mut Places<'_>,
) -> Result<Result<UserPeer, NotFound>, Stop> {
    let record = cx.instance(instance).await?;
    let Some((id, record)) = record.and_then(|record| Some((record.user_id?, record))) else {
        return Ok(Err(NotFound::new(
            code::INSTANCE_NOT_FOUND,
            "names an instance that is not known or was never connected",
        )));
    };
    if let Some(name) = &record.username {
        return by_username(cx, name).await;
    }
    match (by_id(cx, id, places).await?, &record.phone) {
        (Err(_), Some(phone)) => by_phone(cx, phone, places.search.import_contacts).await,
        (found, _) => Ok(found),
    }
}

async fn by_username(cx: &mut Cx<'_>, name: &str) -> Result<Result<UserPeer, NotFound>, Stop> {
    let account = cx.account();
    if let Some(user) = account.peers().by_username(name)
        && still_has(cx, &user, name).await?
    {
        return Ok(Ok(user));
    }
    let step = Step::read("resolve_username", Class::Resolve);
    let resolved = cx.step(step, || calls::people::resolve_username(&account, name)).await;
    let resolved = resolved.map(|resolved| resolved.and_then(Resolved::user));
    found(resolved, "USERNAME_NOT_OCCUPIED", "no person or bot has this username")
}

/// Names change hands: a remembered one is looked at again before a stranger is let in by it. That
/// is a plain read, while resolving a name is among what Telegram limits most.
async fn still_has(cx: &mut Cx<'_>, user: &UserPeer, name: &str) -> Result<bool, Stop> {
    let (account, one) = (cx.account(), std::slice::from_ref(user));
    let step = Step::read("verify_username", Class::Read);
    match cx.step(step, || calls::people::users(&account, one)).await {
        Ok(users) => Ok(users.iter().any(|seen| {
            let seen_name = seen.username.as_deref().unwrap_or_default();
            seen.id == user.id && seen_name.eq_ignore_ascii_case(name)
        })),
        Err(Failure::Refused(_)) => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}

async fn by_phone(
    cx: &mut Cx<'_>,
    phone: &str,
    import: bool,
) -> Result<Result<UserPeer, NotFound>, Stop> {
    let phone = Phone::new(phone);
    let account = cx.account();
    let step = Step::read("resolve_phone", Class::Resolve);
    let resolved = cx.step(step, || calls::people::resolve_phone(&account, &phone)).await;
    let help = "nobody who lets this account find them has this number; give their @username, or \
                set import_contacts if you know them";
    let resolved = found(resolved, "PHONE_NOT_OCCUPIED", help)?;
    if resolved.is_ok() || !import {
        return Ok(resolved);
    }
    let step = Step::repeatable(format!("import:{}", fingerprint(&phone)), Class::Resolve);
    let name = phone.expose().to_owned();
    let imported =
        cx.step(step, || calls::people::import_contact(&account, &phone, &name, "")).await;
    let imported = imported.map(Imported::contact);
    found(imported, "PHONE_NOT_OCCUPIED", "nobody on Telegram has this number")
}

/// A step's name must tell two numbers apart, and must not show either.
fn fingerprint(phone: &Phone) -> String {
    proto::canonical::sha256_hex(phone.expose().as_bytes()).chars().take(16).collect()
}

/// An answer that may hold a person, or a refusal that means there is none.
fn found(
    answer: Result<Option<UserPeer>, Failure>,
    code: &str,
    help: &'static str,
) -> Result<Result<UserPeer, NotFound>, Stop> {
    match answer {
        Ok(Some(user)) => Ok(Ok(user)),
        Ok(None) => Ok(Err(NotFound::new(code, help))),
        Err(Failure::Refused(refusal)) => Ok(Err(NotFound::new(&refusal.name, help))),
        Err(failure) => Err(failure.into()),
    }
}

/// The places where an account may have met somebody, each looked through once for a command.
struct Places<'a> {
    search: Search<'a>,
    left: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Contacts,
    Dialogs,
    ThisGroup,
    BoundGroups,
}

impl<'a> Places<'a> {
    fn new(search: Search<'a>) -> Self {
        // The cheapest and likeliest is looked at first, so it stands last.
        let left = vec![Place::BoundGroups, Place::ThisGroup, Place::Dialogs, Place::Contacts];
        Self { search, left }
    }
}

async fn by_id(
    cx: &mut Cx<'_>,
    id: UserId,
    places: &mut Places<'_>,
) -> Result<Result<UserPeer, NotFound>, Stop> {
    let account = cx.account();
    loop {
        if let Some(user) = account.peers().user(id) {
            return Ok(Ok(user));
        }
        let Some(place) = places.left.pop() else { break };
        look(cx, place, places.search.group).await?;
    }
    Ok(Err(NotFound::new(
        code::PEER_ID_UNKNOWN,
        "the account has never met the person with this number: give their @username or +phone, or \
         let them write to the account first",
    )))
}

/// Looks through one place: whoever is there is in the peer book afterwards.
async fn look(cx: &mut Cx<'_>, place: Place, group: Option<&GroupPeer>) -> Result<(), Stop> {
    let account = cx.account();
    let looked = match place {
        Place::Contacts => cx
            .step(Step::read("contacts", Class::Read), || calls::people::contacts(&account))
            .await
            .map(drop),
        Place::Dialogs => {
            let step = Step::read("dialogs", Class::Read);
            cx.step(step, || calls::chats::dialogs(&account, DIALOGS_MAX, None)).await.map(drop)
        }
        Place::ThisGroup => match group {
            Some(group) => read_members(cx, group).await,
            None => Ok(()),
        },
        Place::BoundGroups => {
            let mut looked = Ok(());
            for chat_id in cx.bound_groups(GROUPS_MAX).await? {
                if let Some(group) = account.peers().group(chat_id) {
                    looked = looked.and(read_members(cx, &group).await);
                }
            }
            looked
        }
    };
    match looked {
        // A place that may not be looked into (a group we are no longer in) holds nobody for us.
        Ok(()) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

async fn read_members(cx: &mut Cx<'_>, group: &GroupPeer) -> Result<(), Failure> {
    let account = cx.account();
    let step = Step::read("members", Class::Read);
    if group.is_basic() {
        return cx.step(step, || calls::groups::full(&account, group)).await.map(drop);
    }
    cx.step(step, || calls::members::participants(&account, group, &Filter::Recent, 0, MEMBERS_MAX))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests;
