//! The targets. A new one is a file here, with a `run`, and a line in the list.

/// One decoder under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its file, and of its folder in `corpus/`.
    pub name: &'static str,
    /// Reads the input, and panics where a promise is broken.
    pub run: fn(&[u8]),
}

impl Target {
    /// The target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

macro_rules! targets {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every target, by name.
        pub static TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), run: $name::run },)+];
    };
}

targets! {
    answer,
    command,
    headers,
    order,
    people,
    qr_token,
    record,
    seal,
    sealed_box,
    session_string,
}
