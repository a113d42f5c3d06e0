//! The session strings of other programs, as people paste them. What is read is read alike with what people
//! copy around it; an error repeats nothing of the text, which may be a login with one slip.

use telegram::{ForeignSession, SessionString};

/// Longer pieces of base64url stand in no error by chance.
const PIECE: usize = 16;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = |text: &str| ForeignSession::read(&SessionString::new(text));
    match read(&text) {
        Ok(session) => {
            assert_eq!(read(&format!(" {text}\n")), Ok(session.clone()));
            assert_eq!(read(text.trim().trim_end_matches('=')), Ok(session.clone()));
            assert!(format!("{session:?}").ends_with("key: *** }"));
        }
        Err(error) => {
            let told = error.to_string();
            let repeated = told.as_bytes().windows(PIECE).find(|piece| {
                let is_coded = piece.iter().all(|byte| byte.is_ascii_alphanumeric());
                is_coded && text.as_bytes().windows(PIECE).any(|other| other == *piece)
            });
            assert_eq!(repeated, None, "{told}");
        }
    }
}
