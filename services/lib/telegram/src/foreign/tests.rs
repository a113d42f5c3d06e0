//! The strings are put together by hand from the layouts that the two libraries document.

use base64::prelude::BASE64_URL_SAFE;

use super::*;

const KEY: [u8; KEY_BYTES] = [0xA7; KEY_BYTES];

fn telethon(dc: u8, ip: &[u8]) -> String {
    let bytes = [&[dc], ip, &443_u16.to_be_bytes(), &KEY[..]].concat();
    format!("1{}", BASE64_URL_SAFE.encode(bytes))
}

fn pyrogram(head: &[u8], user: &[u8], bot: u8) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([head, &KEY[..], user, &[bot]].concat())
}

fn pyrogram_2(dc: u8, bot: u8) -> String {
    let head = [&[dc], &4242_u32.to_be_bytes()[..], &[0]].concat();
    pyrogram(&head, &7_000_000_001_u64.to_be_bytes(), bot)
}

fn read(text: &str) -> Result<ForeignSession, ForeignError> {
    ForeignSession::read(&SessionString::new(text))
}

fn of(dc: i32) -> Result<ForeignSession, ForeignError> {
    Ok(ForeignSession { dc, key: AuthKey::new(KEY), api_id: None })
}

#[test]
fn every_form_is_read() {
    let forms = [
        telethon(2, &[149, 154, 167, 51]),
        telethon(2, &[0xFE; 16]),
        pyrogram(&[2, 0], &777_001_u32.to_be_bytes(), 0),
        pyrogram(&[2, 0], &7_000_000_001_u64.to_be_bytes(), 0),
    ];
    for text in &forms {
        assert_eq!(read(text), of(2), "{} characters", text.len());
        assert_eq!(read(&format!(" {text}\n")), of(2), "copied with what stood around it");
        assert_eq!(read(text.trim_end_matches('=')), of(2), "copied without its padding");
    }
    let with_application = ForeignSession { api_id: Some(4242), ..of(2).unwrap() };
    assert_eq!(read(&pyrogram_2(2, 0)), Ok(with_application));
}

/// `StringSession.save()` of Telethon 1.45, with the key 00 01 … ff at 127.0.0.1:443.
#[test]
fn a_string_that_telethon_wrote_is_read() {
    let key: [u8; KEY_BYTES] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let text = "1BH8AAAEBuwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5_gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp-goaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2-v8DBwsPExcbHyMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8=";
    assert_eq!(read(text), Ok(ForeignSession { dc: 4, key: AuthKey::new(key), api_id: None }));
}

#[test]
fn each_fault_has_its_own_error() {
    let good = telethon(2, &[149, 154, 167, 51]);
    for length in [0, 1, 350, 1 << 20] {
        assert_eq!(read(&"1".repeat(length)), Err(ForeignError::Length(length)));
    }
    assert_eq!(read(&good.replacen('1', "2", 1)), Err(ForeignError::Version));
    assert_eq!(read(&good.replace("p6en", "p6+n")), Err(ForeignError::NotBase64));
    assert_eq!(read(&good.replace("p6en", "p6é")), Err(ForeignError::NotBase64));
    assert_eq!(read(&good[..300]), Err(ForeignError::Length(300)));
    assert_eq!(read(&pyrogram_2(2, 1)), Err(ForeignError::Bot));
    assert_eq!(read(&pyrogram(&[2, 0], &[0; 4], 1)), Err(ForeignError::Bot));
}

#[test]
fn the_key_goes_to_an_address_that_is_known() {
    let fresh = SessionRecord::fresh(None);
    let record = of(4).unwrap().among(fresh.clone()).unwrap();
    assert_eq!((record.home_dc, record.user), (4, None));
    for (dc, known) in record.dcs.iter().zip(&fresh.dcs) {
        assert_eq!((dc.ipv4, dc.auth_key.is_some()), (known.ipv4, dc.id == 4));
    }
    // The application goes along with the key, where the string tells it; ours is not taken for it.
    let ours = SessionRecord { api_id: Some(1), ..fresh.clone() };
    let by = |text: &str| read(text).unwrap().among(ours.clone()).unwrap().api_id;
    assert_eq!(by(&pyrogram_2(2, 0)), Some(4242));
    assert_eq!(by(&telethon(2, &[149, 154, 167, 51])), None);
    for dc in [0, 9] {
        assert_eq!(of(dc).unwrap().among(fresh.clone()), Err(ForeignError::DataCentre(dc)));
    }
}

#[test]
fn nothing_shows_the_key() {
    assert_eq!(format!("{:?}", of(2).unwrap()), "ForeignSession { dc: 2, api_id: None, key: *** }");
}
