//! Takes API keys out of what is kept for people to look at, also where it is no JSON: a command
//! that is cut off in the middle may still hold a whole key.

const FIELD: &[u8] = b"\"api_key\"";
const BLANK: &[u8] = b"\"***\"";

/// The same bytes with each value of a field `api_key` blanked out.
pub fn without_api_keys(body: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.windows(FIELD.len()).position(|window| window == FIELD) {
        let (before, after) = rest.split_at(at + FIELD.len());
        kept.extend_from_slice(before);
        let colon = spaces(after);
        let is_field = after.get(colon) == Some(&b':');
        let value = colon + 1 + spaces(after.get(colon + 1..).unwrap_or_default());
        if is_field && value <= after.len() {
            kept.extend_from_slice(&after[..value]);
            kept.extend_from_slice(BLANK);
            rest = &after[value + value_bytes(&after[value..])..];
        } else {
            rest = after;
        }
    }
    kept.extend_from_slice(rest);
    kept
}

fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// How long the value is at which the bytes begin: a text up to its closing quote, anything else up
/// to where the next field may begin. What is cut off ends with the bytes.
fn value_bytes(bytes: &[u8]) -> usize {
    if bytes.first() != Some(&b'"') {
        return bytes.iter().take_while(|byte| !b",}]".contains(byte)).count();
    }
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::without_api_keys;

    fn kept(body: &str) -> String {
        String::from_utf8(without_api_keys(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_key_is_blanked_wherever_it_stands() {
        for (body, expected) in [
            (r#"{"id":"1","api_key":"qg_K","x":2}"#, r#"{"id":"1","api_key":"***","x":2}"#),
            (r#"{"api_key" : "qg_K"}"#, r#"{"api_key" : "***"}"#),
            (r#"{"api_key":"a\"b","x":1}"#, r#"{"api_key":"***","x":1}"#),
            (r#"{"api_key":"qg_cut off"#, r#"{"api_key":"***""#),
            (r#"{"api_key":"one","api_key":"two"}"#, r#"{"api_key":"***","api_key":"***"}"#),
            (r#"{"api_key":12345,"x":1}"#, r#"{"api_key":"***","x":1}"#),
            (r#"{"x":"\"api_key\": no"}"#, r#"{"x":"\"api_key\": no"}"#),
        ] {
            assert_eq!(kept(body), expected, "{body}");
        }
    }

    #[test]
    fn everything_else_stays_byte_for_byte() {
        let body = b"\xff\xfe \"api_key\" and no colon {";
        assert_eq!(without_api_keys(body), body);
        assert_eq!(without_api_keys(b"\"api_key\":"), b"\"api_key\":\"***\"");
        assert_eq!(without_api_keys(b""), b"");
    }
}
