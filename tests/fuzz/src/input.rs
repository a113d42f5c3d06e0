//! How an input is laid out: lines of `name: value`, an empty line, and the rest as it is, so that a seed
//! can be read and written by hand, and a mutation of it is likely to be one of something in it.

use std::str::Lines;

/// An input taken apart.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    head: String,
    /// What stands after the first empty line.
    pub body: &'a [u8],
}

impl<'a> Input<'a> {
    /// Takes any bytes apart: without an empty line, all of them are head.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Self {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        Self { head: String::from_utf8_lossy(head).into_owned(), body }
    }

    /// The value of a line of the head.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The same, owned.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    fn lines(&self) -> Lines<'_> {
        self.head.lines()
    }
}
