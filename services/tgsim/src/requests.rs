//! The table of requests: which function is answered by which handler, with which errors, and where that is documented.
//!
//! A row stands beside its handler (`requests! { … }` in each file of `services/`); here they are put together and
//! looked up by constructor id. A handler can only answer with an error of its row: another one shows as
//! `500 UNDOCUMENTED_…`, which every test that names its error will meet.
use std::collections::HashMap;
use std::sync::LazyLock;

use grammers_tl_types::{Deserializable, RemoteCall, Serializable};

use crate::cx::Cx;
use crate::rpc_error::{NOT_SIMULATED, Reply, RpcError, bad};
use crate::services;

/// One row.
#[derive(Debug)]
pub struct Request {
    /// Constructor id of the function.
    pub id: u32,
    /// Whether somebody must be logged in; without: `401 AUTH_KEY_UNREGISTERED`.
    pub needs_user: bool,
    /// What it may answer instead of a result.
    pub errors: &'static [DocumentedError],
    /// Reads the body (after the constructor id), runs the handler, writes the result (boxed).
    pub call: fn(&mut Cx<'_>, &[u8]) -> Reply<Vec<u8>>,
}

/// An error of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentedError {
    /// Code.
    pub code: i32,
    /// Name; `%d` stands for a number.
    pub name: &'static str,
    /// Where it is documented, if not on the method's own page.
    pub page: Option<&'static str>,
    /// Nothing in this world leads to it: only a script (`POST /script`) makes the request answer so.
    pub scripted: bool,
}

impl Request {
    /// `messages.createChat`.
    pub fn name(&self) -> &'static str {
        grammers_tl_types::name_for_id(self.id)
    }

    /// The method's page at Telegram.
    pub fn page(&self) -> String {
        format!("https://core.telegram.org/method/{}", self.name())
    }

    /// Whether `error` stands in the row, with this or another code.
    pub fn documents(&self, error: &RpcError) -> bool {
        self.errors.iter().any(|e| error.has_name(e.name))
    }

    /// The error with the code that this request's page gives it: `CHANNEL_PRIVATE` is 400 on one page, 406 on
    /// another. One that stands in no row would be an invention of ours and is shown as such.
    fn as_documented(&self, error: RpcError) -> RpcError {
        if error.code == NOT_SIMULATED || error.name == "INPUT_REQUEST_INVALID" {
            return error;
        }
        if self.errors.iter().any(|e| e.code == error.code && error.has_name(e.name)) {
            return error;
        }
        if let Some(row) = self.errors.iter().find(|e| error.has_name(e.name)) {
            return RpcError { code: row.code, ..error };
        }
        tracing::error!(request = self.name(), %error, "an error that the table does not document");
        RpcError::new(500, format!("UNDOCUMENTED_{}", error.name))
    }
}

/// Declares rows: `messages::CreateChat => create_chat { 400 "CHAT_TITLE_EMPTY", … }`.
///
/// `anonymous` before the path marks what works without login; `400 "X" @ "https://…"` names another page;
/// `400 "X" scripted` marks what only a script can bring about.
#[macro_export]
macro_rules! requests {
    ($( $(#[$who:ident])? $ns:ident :: $f:ident => $handler:path { $( $code:literal $name:literal $($how:ident)? $(@ $page:literal)? ),* $(,)? } )*) => {
        /// The rows of this file.
        pub const REQUESTS: &[$crate::requests::Request] = &[ $(
            $crate::requests::Request {
                id: <grammers_tl_types::functions::$ns::$f as grammers_tl_types::Identifiable>::CONSTRUCTOR_ID,
                needs_user: $crate::requests!(@who $($who)?),
                errors: &[ $( $crate::requests::DocumentedError {
                    code: $code, name: $name, page: $crate::requests!(@page $($page)?),
                    scripted: $crate::requests!(@how $($how)?),
                } ),* ],
                call: |cx, body| $crate::requests::run::<grammers_tl_types::functions::$ns::$f>(cx, body, $handler),
            }
        ),* ];
    };
    (@who) => { true };
    (@who anonymous) => { false };
    (@how) => { false };
    (@how scripted) => { true };
    (@page) => { None };
    (@page $page:literal) => { Some($page) };
}

/// Decodes, calls, encodes. Used by the macro only.
pub fn run<F>(
    cx: &mut Cx<'_>,
    body: &[u8],
    handler: fn(&mut Cx<'_>, F) -> Reply<F::Return>,
) -> Reply<Vec<u8>>
where
    F: RemoteCall + Deserializable,
    F::Return: Serializable,
{
    let request = crate::coerce::read::<F>(body).map_err(|_| bad("INPUT_REQUEST_INVALID"))?;
    Ok(handler(cx, request)?.to_bytes())
}

/// Every table; a new file of handlers adds its name here.
const TABLES: &[&[Request]] = &[
    services::chats::REQUESTS,
    services::chat_members::REQUESTS,
    services::chat_settings::REQUESTS,
    services::migrate::REQUESTS,
    services::messages::REQUESTS,
    services::history::REQUESTS,
    services::channel_history::REQUESTS,
    services::edit::REQUESTS,
    services::marks::REQUESTS,
    services::dialogs::REQUESTS,
    services::updates::REQUESTS,
    services::users::REQUESTS,
    services::contacts::REQUESTS,
    services::resolve::REQUESTS,
    services::blocklist::REQUESTS,
    services::profile::REQUESTS,
    services::privacy::REQUESTS,
    services::signals::REQUESTS,
    services::deletion::REQUESTS,
    services::chat_full::REQUESTS,
    services::common::REQUESTS,
    services::invites::edit::REQUESTS,
    services::invites::export::REQUESTS,
    services::invites::importers::REQUESTS,
    services::invites::join::REQUESTS,
    services::invites::lists::REQUESTS,
    services::invites::requests::REQUESTS,
    services::supergroup::admins::REQUESTS,
    services::supergroup::bans::REQUESTS,
    services::supergroup::edit::REQUESTS,
    services::supergroup::enter::REQUESTS,
    services::supergroup::full::REQUESTS,
    services::supergroup::history::REQUESTS,
    services::supergroup::leave::REQUESTS,
    services::supergroup::lifecycle::REQUESTS,
    services::supergroup::participants::REQUESTS,
    services::supergroup::toggles::REQUESTS,
    services::supergroup::username::REQUESTS,
];

static BY_ID: LazyLock<HashMap<u32, &'static Request>> =
    LazyLock::new(|| all().map(|r| (r.id, r)).collect());

/// All rows, in the order of the files.
pub fn all() -> impl Iterator<Item = &'static Request> {
    TABLES.iter().chain(crate::auth::TABLES).copied().flatten()
}

/// The row of a constructor id.
pub fn find(id: u32) -> Option<&'static Request> {
    BY_ID.get(&id).copied()
}

/// Answers one request: `None` where no row has this id. The outgoing updates are in `cx` afterwards.
///
/// `body` is what follows the constructor id.
pub fn dispatch(id: u32, body: &[u8], cx: &mut Cx<'_>) -> Option<Reply<Vec<u8>>> {
    let request = find(id)?;
    if request.needs_user && cx.me == crate::world::UserId::NOBODY {
        return Some(Err(RpcError::new(401, "AUTH_KEY_UNREGISTERED")));
    }
    let answer = (request.call)(cx, body);
    cx.flush();
    Some(answer.map_err(|error| request.as_documented(error)))
}
