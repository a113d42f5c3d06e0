//! Makes short strings that are not UTF-8 readable, in place: each wrong byte becomes `?`.
//!
//! AMQP leaves open what a short string is encoded in, RabbitMQ passes on whatever a client wrote,
//! and lapin ends the *connection* on the first byte that is not UTF-8. So one command with a
//! Latin-1 correlation id would throw a worker's instances off the broker, again on every
//! redelivery, and go unanswered. The lengths stay, so nothing else in a frame has to change.
//!
//! Tables nest as deeply as 128 KiB allow, and lapin reads each in the call that reads the one around it:
//! some ten thousand of them are more than its stack holds, which ends the *process*. Beyond a depth that
//! nobody needs, a table or an array becomes a byte array, which has the same layout.
//!
//! Source of the layouts: <https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, 4.2.

const BASIC: u16 = 60;
const RETURN: u16 = 50;
const DELIVER: u16 = 60;
/// Tables nest; the broker's own (`x-death`) do so twice.
const MAX_DEPTH: u8 = 16;

const METHOD_FRAME: u8 = 1;
const HEADER_FRAME: u8 = 2;

/// Mends the payload of a frame of this type. What is not laid out as expected stays as it is.
pub(super) fn payload(frame_type: u8, payload: &mut [u8]) {
    let mut at = Cursor { bytes: payload, position: 0 };
    // None means that the frame was shorter than it says; lapin will tell.
    let _ = match frame_type {
        METHOD_FRAME => at.method(),
        HEADER_FRAME => at.header(),
        _ => Some(()),
    };
}

/// Mends the payload of a header frame.
pub(crate) fn header(bytes: &mut [u8]) {
    payload(HEADER_FRAME, bytes);
}

struct Cursor<'a> {
    bytes: &'a mut [u8],
    position: usize,
}

impl Cursor<'_> {
    fn method(&mut self) -> Option<()> {
        if self.short()? != BASIC {
            return Some(());
        }
        match self.short()? {
            DELIVER => {
                self.short_string()?; // consumer tag
                self.skip(8 + 1)?; // delivery tag, redelivered
                self.short_string()?; // exchange
                self.short_string() // routing key
            }
            RETURN => {
                self.skip(2)?; // reply code
                self.short_string()?; // reply text
                self.short_string()?; // exchange
                self.short_string() // routing key
            }
            _ => Some(()),
        }
    }

    fn header(&mut self) -> Option<()> {
        if self.short()? != BASIC {
            return Some(());
        }
        self.skip(2 + 8)?; // weight, body size
        let flags = self.short()?;
        let has = |bit: u16| flags & (1 << bit) != 0;
        for bit in (2..=15).rev().filter(|bit| has(*bit)) {
            match bit {
                13 => self.table(0)?,     // headers
                11 | 12 => self.skip(1)?, // priority, delivery mode
                6 => self.skip(8)?,       // timestamp
                _ => self.short_string()?,
            }
        }
        Some(())
    }

    fn table(&mut self, depth: u8) -> Option<()> {
        let end = self.block()?;
        while self.position < end {
            self.short_string()?;
            self.value(depth)?;
        }
        Some(())
    }

    fn array(&mut self, depth: u8) -> Option<()> {
        let end = self.block()?;
        while self.position < end {
            self.value(depth)?;
        }
        Some(())
    }

    /// Where a table or an array ends.
    fn block(&mut self) -> Option<usize> {
        let length = self.long()?;
        let end = self.position.checked_add(length)?;
        (end <= self.bytes.len()).then_some(end)
    }

    fn value(&mut self, depth: u8) -> Option<()> {
        match self.byte()? {
            b't' | b'b' | b'B' => self.skip(1),
            b's' | b'U' | b'u' => self.skip(2),
            b'I' | b'i' | b'f' => self.skip(4),
            b'L' | b'l' | b'd' | b'T' => self.skip(8),
            b'D' => self.skip(5),
            b'S' | b'x' => {
                let length = self.long()?;
                self.skip(length)
            }
            b'F' | b'A' if depth == MAX_DEPTH => {
                self.bytes[self.position - 1] = b'x';
                let length = self.long()?;
                self.skip(length)
            }
            b'F' => self.table(depth + 1),
            b'A' => self.array(depth + 1),
            b'V' => Some(()),
            _ => None,
        }
    }

    fn short_string(&mut self) -> Option<()> {
        let length = usize::from(self.byte()?);
        let start = self.position;
        self.skip(length)?;
        mend(&mut self.bytes[start..self.position]);
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn long(&mut self) -> Option<usize> {
        let (high, low) = (self.short()?, self.short()?);
        Some(usize::from(high) << 16 | usize::from(low))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        let end = self.position.checked_add(count)?;
        self.position = (end <= self.bytes.len()).then_some(end)?;
        Some(())
    }
}

fn mend(text: &mut [u8]) {
    let mut start = 0;
    while let Err(wrong) = std::str::from_utf8(&text[start..]) {
        let from = start + wrong.valid_up_to();
        let to = wrong.error_len().map_or(text.len(), |length| from + length);
        text[from..to].fill(b'?');
        start = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_string(text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![text.len() as u8];
        bytes.extend(text);
        bytes
    }

    fn header(flags: u16, properties: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        bytes.extend(flags.to_be_bytes());
        bytes.extend(properties);
        bytes
    }

    fn mended(frame_type: u8, mut bytes: Vec<u8>) -> Vec<u8> {
        payload(frame_type, &mut bytes);
        bytes
    }

    #[test]
    fn only_the_wrong_bytes_change() {
        for (text, expected) in [
            (&b"caf\xe9"[..], "caf?"),
            (b"\xff\xfe", "??"),
            ("käse ✓".as_bytes(), "käse ✓"),
            (b"a\xc3", "a?"),
            (b"\xe2\x82x\xe2\x82\xac", "??x\u{20ac}"),
            (b"", ""),
        ] {
            let mut bytes = text.to_vec();
            mend(&mut bytes);
            assert_eq!(std::str::from_utf8(&bytes), Ok(expected));
            assert_eq!(bytes.len(), text.len());
        }
    }

    #[test]
    fn every_property_is_reached_past_those_before_it() {
        // All fourteen at once: content type, encoding, headers, mode, priority, correlation id,
        // reply-to, expiration, message id, timestamp, type, user id, app id, cluster id.
        let bad = short_string(b"\xe9");
        let mut properties = [bad.clone(), bad.clone()].concat();
        let mut table = [short_string(b"k\xe9"), vec![b'S', 0, 0, 0, 1, 0xe9]].concat();
        table.extend([short_string(b"n"), vec![b'I', 0xff, 0xff, 0xff, 0xff]].concat());
        let mut inner = (table.len() as u32).to_be_bytes().to_vec();
        inner.extend(&table);
        let nested = [short_string(b"F\xe9"), vec![b'F'], inner.clone()].concat();
        let array = [vec![b'F'], inner].concat();
        let mut all = [table, nested, short_string(b"A"), vec![b'A']].concat();
        all.extend((array.len() as u32).to_be_bytes());
        all.extend(&array);
        properties.extend((all.len() as u32).to_be_bytes());
        properties.extend(&all);
        properties.extend([2, 9]);
        for _ in 0..4 {
            properties.extend(&bad);
        }
        properties.extend([0xff; 8]);
        for _ in 0..4 {
            properties.extend(&bad);
        }
        let before = header(0xfffc, &properties);
        let after = mended(HEADER_FRAME, before.clone());
        assert_eq!(after.len(), before.len());
        // Left over is what is no short string: a long string and a number, each thrice, the
        // timestamp, and the flags themselves.
        let wrong = after.iter().filter(|byte| **byte == 0xe9).count();
        assert_eq!(wrong, 3, "{after:x?}");
        assert_eq!(after.iter().filter(|byte| **byte == 0xff).count(), 3 * 4 + 8 + 1);
        assert_eq!(after.iter().filter(|byte| **byte == b'?').count(), 10 + 4);
    }

    #[test]
    fn names_in_a_delivery_and_a_return_are_mended() {
        let tail = [short_string(b"ex\xe9"), short_string(b"key\xe9")].concat();
        let deliver =
            [vec![0, 60, 0, 60], short_string(b"t\xe9"), vec![0xe9; 9], tail.clone()].concat();
        let after = mended(METHOD_FRAME, deliver);
        assert_eq!(after.iter().filter(|byte| **byte == 0xe9).count(), 9);
        let returned = [vec![0, 60, 0, 50, 1, 56], short_string(b"NO\xe9"), tail].concat();
        assert!(!mended(METHOD_FRAME, returned).contains(&0xe9));
    }

    #[test]
    fn what_nests_too_deeply_is_read_no_deeper() {
        use lapin::protocol::basic::parse_properties;

        for (tag, name) in [(b'A', vec![]), (b'F', short_string(b"k\xe9"))] {
            // As deep as a frame of 128 KiB can be.
            let mut value = vec![b'V'];
            while value.len() < 128 * 1024 - 100 {
                let length = (name.len() + value.len()) as u32;
                // From the inside out, and reversed at the end.
                value.extend(name.iter().rev());
                value.extend(length.to_be_bytes().iter().rev());
                value.push(tag);
            }
            value.reverse();
            let table = [short_string(b"deep"), value].concat();
            let table = [(table.len() as u32).to_be_bytes().to_vec(), table].concat();
            let after = mended(HEADER_FRAME, header(1 << 13, &table));
            let (_, read) = parse_properties(&after[12..]).unwrap();
            assert!(read.headers().is_some());
        }
    }

    #[test]
    fn anything_else_passes_unchanged() {
        let body = vec![0xe9; 40];
        assert_eq!(mended(3, body.clone()), body);
        let ack = vec![0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0xe9, 0];
        assert_eq!(mended(METHOD_FRAME, ack.clone()), ack);
        // Shorter than it says, or nested without end: whatever it is, no panic.
        for cut in 0..40 {
            let whole = header(0xfffc, &short_string(&[0xe9; 30]));
            let _ = mended(HEADER_FRAME, whole[..cut.min(whole.len())].to_vec());
        }
        let mut deep = Vec::new();
        for _ in 0..200 {
            deep.extend([b'A', 0, 0, 0x10, 0]);
        }
        let _ = mended(HEADER_FRAME, header(1 << 13, &[&[0, 0, 4, 0, 0][..], &deep].concat()));
    }
}
