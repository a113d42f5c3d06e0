//! Accounts against a simulated Telegram: every call with its effect in the journal, logins, and connections that break.

mod groups;
mod links;
mod lists;
mod login;
mod loss;
mod members;
mod people;
mod sim;
