//! The table's data: every combination of the axes is either run, with what must come of it, or
//! can't be, for a reason that is told. The first row that fits counts.

use super::axes::Form::{
    self, Bot, ImportedPhone, Instance, Link, Number, NumericString, Phone, Username,
};
use super::axes::Kind::{self, Basic, Supergroup};
use super::axes::Method::{self, Add, Ban, Common, Create, Remove};
use super::axes::Outcome as O;

/// What holds for a combination.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// It can't be.
    Never(&'static str),
    /// It is run.
    Run(Cell),
}

/// A combination that is run: how the ground is laid, and what must come of it.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub who: Who,
    /// Whether they are in the group before.
    pub inside: bool,
    /// What Telegram does with the request that does the work.
    pub trouble: Trouble,
    /// The code of the outcome, where it has one that does not hang on the form.
    pub code: Option<&'static str>,
    /// The kind of the command's error.
    pub kind: Option<&'static str>,
    /// Whether the command gets so far that each member's outcome is told.
    pub told: bool,
    /// What stands in the journal afterwards, and nothing else.
    pub changes: &'static [Change],
}

/// Somebody, seen by the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Lets anybody add them.
    Open,
    /// Lets nobody add them.
    Private,
    /// Lets nobody add them, and only accounts with Premium write to them.
    ForPremium,
    /// A bot that stays out of groups.
    StaysOut,
    /// Blocked by the account.
    Blocked,
    /// The account itself.
    Itself,
    /// Nobody at all.
    Nobody,
}

/// A fault on order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// A flood wait of one second.
    Flood,
    /// This error.
    Refused(i32, &'static str),
}

/// An entry of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A group that holds the account alone.
    Made,
    /// One that holds the person too.
    MadeWithThem,
    /// One that holds the account and somebody who is not the point.
    MadeWithHelper,
    Added,
    Missing,
    Removed,
    Banned,
    Unbanned,
    LinkForOne,
}

struct Row(&'static [Method], &'static [Kind], &'static [Form], &'static [O], Rule);

/// What holds for a combination; `None` would be an empty cell.
pub fn rule(method: Method, kind: Kind, form: Form, outcome: O) -> Option<(usize, Rule)> {
    let fits = |row: &&Row| {
        row.0.contains(&method)
            && row.1.contains(&kind)
            && row.2.contains(&form)
            && row.3.contains(&outcome)
    };
    let at = ROWS.iter().position(|row| fits(&row))?;
    Some((at, ROWS[at].4))
}

/// How many rows there are: each must be good for something.
pub fn rows() -> usize {
    ROWS.len()
}

const BOTH: &[Kind] = &Kind::ALL;
const SUPER: &[Kind] = &[Supergroup];
const BASIC: &[Kind] = &[Basic];
const FORMS: &[Form] = &Form::ALL;
const PEOPLE: &[Form] = &[Number, NumericString, Username, Link, Phone, ImportedPhone, Instance];
const PUT_IN: &[Method] = &[Create, Add];
const TAKE_OUT: &[Method] = &[Remove, Ban];
const PRIVACY: &[O] = &[O::PrivacyReported, O::PrivacyHelped, O::NeedsPremium];

const fn never(why: &'static str) -> Rule {
    Rule::Never(why)
}

const fn cell(who: Who, changes: &'static [Change]) -> Cell {
    let (trouble, code, kind) = (Trouble::None, None, None);
    Cell { who, inside: false, trouble, code, kind, told: true, changes }
}

impl Cell {
    const fn inside(self) -> Self {
        Self { inside: true, ..self }
    }

    const fn met(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    const fn because(self, kind: &'static str, code: &'static str) -> Self {
        Self { kind: Some(kind), code: Some(code), ..self }
    }

    /// The code hangs on the form.
    const fn unfound(self) -> Self {
        Self { kind: Some("invalid"), ..self }
    }

    const fn untold(self) -> Self {
        Self { told: false, ..self }
    }

    const fn run(self) -> Rule {
        Rule::Run(self)
    }
}

const FLOOD: Trouble = Trouble::Flood;
const PRIVATE: &str = "USER_PRIVACY_RESTRICTED";
const TOO_MANY: &str = "USER_CHANNELS_TOO_MUCH";
const NO_BOTS: &str = "BOT_GROUPS_BLOCKED";

use Change as C;
use Who as W;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // What a method does not do.
    Row(PUT_IN, BOTH, FORMS, &[O::Removed, O::NotMember], never("the method takes nobody out")),
    Row(TAKE_OUT, BOTH, FORMS, &[O::Added, O::AlreadyMember], never("the method puts nobody in")),
    Row(TAKE_OUT, BOTH, FORMS, PRIVACY, never("no privacy setting keeps anybody in a group")),
    Row(TAKE_OUT, BOTH, FORMS, &[O::TooManyGroups], never("nobody needs room to be taken out")),
    Row(TAKE_OUT, BOTH, FORMS, &[O::BotBlocked], never("every bot can be taken out")),
    Row(&[Create, Add, Remove, Ban], BOTH, FORMS, &[O::Listed, O::NothingShared], never("only user.common_groups lists groups")),
    Row(&[Common], BOTH, FORMS, &[
        O::Added, O::AlreadyMember, O::Removed, O::NotMember, O::PrivacyReported, O::PrivacyHelped, O::NeedsPremium,
        O::TooManyGroups, O::BotBlocked, O::Failed,
    ], never("a question changes nobody's membership")),
    Row(&[Remove, Ban, Common], BOTH, &[ImportedPhone], &O::ALL, never("the method has no import_contacts")),
    Row(&[Ban], BASIC, FORMS, &O::ALL, never("a basic group has no ban list; the command is refused, see below")),
    Row(&[Ban], SUPER, FORMS, &[O::NotMember], never("who is outside is banned all the same: removed")),
    // What can't be of a bot, or of a person.
    Row(PUT_IN, BOTH, &[Bot], PRIVACY, never("bots have no privacy settings")),
    Row(PUT_IN, BOTH, &[Bot], &[O::TooManyGroups], never("Telegram limits the groups of people only")),
    Row(PUT_IN, BOTH, PEOPLE, &[O::BotBlocked], never("not a bot")),
    Row(PUT_IN, BASIC, PEOPLE, &[O::TooManyGroups], never("Telegram's limit counts no basic groups: its requests know no such error")),
    Row(&[Create], BOTH, &[Bot], &[O::AlreadyMember], never("a new group holds the account alone, which is no bot")),
    Row(&[Remove], BASIC, &[Bot], &[O::Failed], never("messages.deleteChatUser has no error about one member that is in the group")),
    // group.create
    Row(&[Create], SUPER, FORMS, &[O::Added], cell(W::Open, &[C::Made, C::Added]).run()),
    Row(&[Create], BASIC, FORMS, &[O::Added], cell(W::Open, &[C::MadeWithThem]).run()),
    Row(&[Create], SUPER, PEOPLE, &[O::AlreadyMember], cell(W::Itself, &[C::Made]).run()),
    Row(&[Create], BASIC, PEOPLE, &[O::AlreadyMember], cell(W::Itself, &[C::MadeWithHelper]).run()),
    Row(&[Create], BOTH, PEOPLE, &[O::PrivacyReported], cell(W::Private, &[C::Made, C::Missing]).because("forbidden", PRIVATE).run()),
    Row(&[Create], BOTH, PEOPLE, &[O::PrivacyHelped], cell(W::Private, &[C::Made, C::Missing, C::LinkForOne]).because("forbidden", PRIVATE).run()),
    Row(&[Create], BOTH, PEOPLE, &[O::NeedsPremium], cell(W::ForPremium, &[C::Made, C::Missing]).because("forbidden", "PREMIUM_REQUIRED").run()),
    Row(&[Create], SUPER, FORMS, &[O::NotFound], cell(W::Nobody, &[C::Made]).unfound().run()),
    Row(&[Create], BASIC, FORMS, &[O::NotFound], cell(W::Nobody, &[C::MadeWithHelper]).unfound().run()),
    Row(&[Create], SUPER, PEOPLE, &[O::TooManyGroups], cell(W::Open, &[C::Made]).met(Trouble::Refused(403, TOO_MANY)).because("forbidden", TOO_MANY).run()),
    Row(&[Create], SUPER, &[Bot], &[O::BotBlocked], cell(W::StaysOut, &[C::Made]).because("forbidden", NO_BOTS).run()),
    Row(&[Create], BASIC, &[Bot], &[O::BotBlocked], cell(W::StaysOut, &[C::Made, C::Missing]).because("forbidden", NO_BOTS).run()),
    Row(&[Create], SUPER, FORMS, &[O::Throttled], cell(W::Open, &[C::Made]).met(FLOOD).because("throttled", "FLOOD_WAIT").run()),
    Row(&[Create], BASIC, FORMS, &[O::Throttled], cell(W::Open, &[]).met(FLOOD).because("throttled", "FLOOD_WAIT").untold().run()),
    Row(&[Create], SUPER, FORMS, &[O::Failed], cell(W::Open, &[C::Made]).met(Trouble::Refused(400, "CHAT_INVALID")).because("invalid", "CHAT_INVALID").run()),
    Row(&[Create], BASIC, FORMS, &[O::Failed], cell(W::Open, &[]).met(Trouble::Refused(400, "CHAT_INVALID")).because("invalid", "CHAT_INVALID").untold().run()),
    // group.add_members
    Row(&[Add], BOTH, FORMS, &[O::Added], cell(W::Open, &[C::Added]).run()),
    Row(&[Add], BOTH, FORMS, &[O::AlreadyMember], cell(W::Open, &[]).inside().run()),
    Row(&[Add], BOTH, PEOPLE, &[O::PrivacyReported], cell(W::Private, &[C::Missing]).because("forbidden", PRIVATE).run()),
    Row(&[Add], BOTH, PEOPLE, &[O::PrivacyHelped], cell(W::Private, &[C::Missing, C::LinkForOne]).because("forbidden", PRIVATE).run()),
    Row(&[Add], BOTH, PEOPLE, &[O::NeedsPremium], cell(W::ForPremium, &[C::Missing]).because("forbidden", "PREMIUM_REQUIRED").run()),
    Row(&[Add], BOTH, FORMS, &[O::NotFound], cell(W::Nobody, &[]).unfound().run()),
    Row(&[Add], SUPER, PEOPLE, &[O::TooManyGroups], cell(W::Open, &[]).met(Trouble::Refused(403, TOO_MANY)).because("forbidden", TOO_MANY).run()),
    Row(&[Add], BOTH, &[Bot], &[O::BotBlocked], cell(W::StaysOut, &[]).because("forbidden", NO_BOTS).run()),
    Row(&[Add], BOTH, FORMS, &[O::Throttled], cell(W::Open, &[]).met(FLOOD).because("throttled", "FLOOD_WAIT").run()),
    Row(&[Add], SUPER, FORMS, &[O::Failed], cell(W::Open, &[]).met(Trouble::Refused(400, "USER_KICKED")).because("forbidden", "USER_KICKED").run()),
    Row(&[Add], BASIC, FORMS, &[O::Failed], cell(W::Blocked, &[]).because("forbidden", "YOU_BLOCKED_USER").run()),
    // group.remove_members
    Row(&[Remove], SUPER, FORMS, &[O::Removed], cell(W::Open, &[C::Banned, C::Unbanned]).inside().run()),
    Row(&[Remove], BASIC, FORMS, &[O::Removed], cell(W::Open, &[C::Removed]).inside().run()),
    Row(&[Ban], SUPER, FORMS, &[O::Removed], cell(W::Open, &[C::Banned]).inside().run()),
    Row(&[Remove], BOTH, FORMS, &[O::NotMember], cell(W::Open, &[]).run()),
    Row(TAKE_OUT, BOTH, FORMS, &[O::NotFound], cell(W::Nobody, &[]).unfound().run()),
    Row(TAKE_OUT, BOTH, FORMS, &[O::Throttled], cell(W::Open, &[]).inside().met(FLOOD).because("throttled", "FLOOD_WAIT").run()),
    Row(TAKE_OUT, BOTH, PEOPLE, &[O::Failed], cell(W::Itself, &[]).because("invalid", "ACCOUNT_ITSELF").run()),
    Row(TAKE_OUT, SUPER, &[Bot], &[O::Failed], cell(W::Open, &[]).inside().met(Trouble::Refused(400, "USER_ADMIN_INVALID")).because("forbidden", "USER_ADMIN_INVALID").run()),
    // user.common_groups
    Row(&[Common], BOTH, FORMS, &[O::Listed], cell(W::Open, &[]).inside().run()),
    Row(&[Common], BOTH, FORMS, &[O::NothingShared], cell(W::Open, &[]).run()),
    Row(&[Common], BOTH, FORMS, &[O::NotFound], cell(W::Nobody, &[]).unfound().untold().run()),
    Row(&[Common], BOTH, FORMS, &[O::Throttled], cell(W::Open, &[]).inside().met(FLOOD).because("throttled", "FLOOD_WAIT").untold().run()),
];
