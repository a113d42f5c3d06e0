//! Framings against bytes written out by hand, split at every place, and refused where wrong.

use super::*;

fn full() -> Transport {
    Transport::Full { incoming: 0, outgoing: 0 }
}

#[test]
fn every_framing_is_known_by_its_first_bytes() {
    assert_eq!(detect(&[0xef]), Detected::Plain(Transport::Abridged, 1));
    assert_eq!(detect(&[0xee; 4]), Detected::Plain(Transport::Intermediate, 4));
    assert_eq!(detect(&[0xdd; 4]), Detected::Plain(Transport::PaddedIntermediate, 4));
    assert_eq!(detect(&[40, 0, 0, 0, 0, 0, 0, 0]), Detected::Plain(full(), 0));
    assert_eq!(detect(&[40, 0, 0, 0]), Detected::NeedMore);
    assert_eq!(detect(&[1, 2, 3, 4, 5, 6, 7, 8]), Detected::Obfuscated);
}

#[test]
fn a_frame_comes_out_whole_however_it_was_cut() {
    let payload: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for make in [full, || Transport::Abridged, || Transport::Intermediate] {
        let bytes = make().frame(&payload);
        let mut reader = make();
        let mut buffer = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            buffer.push(*byte);
            let frame = reader.take_frame(&mut buffer).unwrap();
            assert_eq!(frame.is_some(), at + 1 == bytes.len());
            if let Some(frame) = frame {
                assert_eq!(frame, Frame { payload: payload.clone(), quick_ack: false });
            }
        }
        assert!(buffer.is_empty());
    }
}

#[test]
fn abridged_lengths_are_short_below_127_words() {
    assert_eq!(Transport::Abridged.frame(&[7; 4])[..1], [1]);
    assert_eq!(Transport::Abridged.frame(&[7; 126 * 4])[..1], [126]);
    assert_eq!(Transport::Abridged.frame(&[7; 127 * 4])[..4], [0x7f, 127, 0, 0]);
}

#[test]
fn padding_stays_behind_the_payload() {
    for _ in 0..50 {
        let mut bytes = Transport::PaddedIntermediate.frame(&[9; 24]);
        let frame = Transport::PaddedIntermediate.take_frame(&mut bytes).unwrap().unwrap();
        assert_eq!(frame.payload[..24], [9; 24]);
        assert!(frame.payload.len() < 24 + 16);
    }
}

#[test]
fn the_wish_for_a_quick_ack_is_seen_and_is_no_length() {
    let mut bytes = vec![0x81, 1, 2, 3, 4];
    let frame = Transport::Abridged.take_frame(&mut bytes).unwrap().unwrap();
    assert_eq!(frame, Frame { payload: vec![1, 2, 3, 4], quick_ack: true });
    let mut bytes = vec![4, 0, 0, 0x80, 1, 2, 3, 4];
    assert!(Transport::Intermediate.take_frame(&mut bytes).unwrap().unwrap().quick_ack);
    assert_eq!(Transport::Abridged.quick_ack(1), Some([0x80, 0, 0, 1]));
    assert_eq!(Transport::Intermediate.quick_ack(1), Some([1, 0, 0, 0x80]));
}

#[test]
fn a_full_frame_with_a_wrong_checksum_or_number_is_refused() {
    let mut bytes = full().frame(&[1; 8]);
    bytes[9] ^= 1;
    assert_eq!(full().take_frame(&mut bytes), Err(FrameError::Checksum));
    let mut bytes = full().frame(&[1; 8]);
    let mut late = Transport::Full { incoming: 3, outgoing: 0 };
    assert_eq!(late.take_frame(&mut bytes), Err(FrameError::Sequence { expected: 3, got: 0 }));
}

#[test]
fn lengths_out_of_bounds_are_refused_before_anything_is_kept() {
    let mut bytes = vec![0xff, 0xff, 0xff, 0x7f];
    assert!(matches!(Transport::Intermediate.take_frame(&mut bytes), Err(FrameError::Length(_))));
    let mut bytes = vec![8, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(full().take_frame(&mut bytes), Err(FrameError::Length(8)));
    let mut bytes = vec![0];
    assert_eq!(Transport::Abridged.take_frame(&mut bytes), Err(FrameError::Length(0)));
    let mut bytes = vec![0x7f, 0xff, 0xff, 0xff];
    assert!(matches!(Transport::Abridged.take_frame(&mut bytes), Err(FrameError::Length(_))));
}

#[test]
fn errors_have_the_form_that_clients_of_each_framing_read() {
    let code = (-404_i32).to_le_bytes();
    assert_eq!(full().error(-404), [code, code, code].concat());
    assert_eq!(Transport::Abridged.error(-404), [&[1][..], &code].concat());
    assert_eq!(Transport::Intermediate.error(-404), [&[4, 0, 0, 0][..], &code].concat());
}
