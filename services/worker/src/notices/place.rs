//! Where an account's admin wants to be told: an address that is posted to, or a queue.

use std::fmt;

use proto::Fault;
use proto::Names;
use proto::fault::code;
use url::Url;

/// Most bytes of an address.
const URL_BYTES_MAX: usize = 2_048;
/// Most bytes of a queue's name, as AMQP has it.
const QUEUE_BYTES_MAX: usize = 255;

/// Such a place. Its path may be all that keeps strangers out, hence it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub enum NoticePlace {
    /// `https://…` or `http://…`: each notice is the body of a POST.
    Url(Box<Url>),
    /// A queue on the broker, somebody else's and there already.
    Queue(String),
}

impl NoticePlace {
    /// Reads it as people write it: what is no address is a queue.
    ///
    /// # Errors
    /// `params.notify` makes no sense.
    pub fn read(text: &str, names: &Names) -> Result<Self, Fault> {
        if text.contains("://") {
            return Self::url(text);
        }
        // A slash or a colon is a slip in an address: as a queue's name its path would be shown.
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | ':');
        if text.is_empty() || text.len() > QUEUE_BYTES_MAX || text.chars().any(odd) {
            let why = "is neither an address (https://host/path) nor a queue's name (1 to 255 bytes, no blanks, / or :)";
            return Err(invalid(why));
        }
        if names.is_own(text) || text.starts_with("amq.") {
            return Err(invalid("is a queue of Queuegram's own, or of the broker's"));
        }
        Ok(Self::Queue(text.to_owned()))
    }

    fn url(text: &str) -> Result<Self, Fault> {
        if text.len() > URL_BYTES_MAX {
            return Err(invalid("has more than 2048 bytes"));
        }
        let url = Url::parse(text).map_err(|why| invalid(&format!("is no address: {why}")))?;
        let no_host = url.host_str().is_none_or(str::is_empty) || url.port() == Some(0);
        if !matches!(url.scheme(), "http" | "https") || no_host {
            return Err(invalid("is no address of the form https://host/path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "holds a user or a password; put what keeps others out in its path",
            ));
        }
        Ok(Self::Url(Box::new(url)))
    }
}

impl fmt::Display for NoticePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "{}/…", url.origin().ascii_serialization()),
            Self::Queue(queue) => f.write_str(queue),
        }
    }
}

impl fmt::Debug for NoticePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoticePlace({self})")
    }
}

fn invalid(why: &str) -> Fault {
    Fault::invalid(code::PARAMS_INVALID, format!("params.notify: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NoticePlace, Fault> {
        NoticePlace::read(text, &Names::default())
    }

    #[test]
    fn an_address_or_a_queue_is_read_and_its_path_is_not_shown() {
        let shown = |text: &str| read(text).unwrap().to_string();
        assert_eq!(shown("https://hooks.example.org/T0/secret?k=1"), "https://hooks.example.org/…");
        assert_eq!(shown("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/…");
        assert_eq!(shown("crm.admins"), "crm.admins");
    }

    #[test]
    fn what_makes_no_sense_names_the_field() {
        let (long_queue, long_url) = ("q".repeat(256), format!("https://h/{}", "p".repeat(2_048)));
        for text in [
            "",
            "tg.dead",
            "amq.gen-1",
            "two\nlines",
            "   ",
            "https//host/secret",
            "mailto:x@y",
            "http://host:0/p",
            "ftp://h/p",
            "https://",
            "https://user:secret@h/p",
            &long_queue,
            &long_url,
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.starts_with("params.notify: "), "{text}: {}", fault.message);
            assert!(!fault.message.contains("secret"), "{}", fault.message);
        }
    }
}
