//! The stories: what Queuegram promises, played through from outside, on real parts.

#![cfg(test)]

mod private_servers;
mod processes;
