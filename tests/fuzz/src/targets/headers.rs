//! AMQP properties as they are on the wire: what is mended before lapin reads it, and what is made of
//! them. A death tells no more than a queue's name can hold.

use bus::fuzz::{header, mend, passed_on};

const NAME_BYTES_MAX: usize = 255;
const KEYS_MAX: usize = 16;

pub fn run(data: &[u8]) {
    let mended = mend(data);
    assert_eq!(mended.len(), data.len());
    assert_eq!(mend(&mended), mended);
    let Some(header) = header(data) else { return };
    let sent = passed_on(&header.properties);
    assert_eq!(sent.as_ref(), Some(&header.properties), "can't be passed on as it came");
    assert!(header.notes.keys().all(|name| name.starts_with("x-queuegram-")));
    if let Some(death) = &header.death {
        let first = death.first.as_ref();
        let names = [death.reason.as_str(), &death.queue, &death.exchange].into_iter();
        let firsts =
            first.iter().flat_map(|first| [first.reason.as_str(), &first.queue, &first.exchange]);
        let keys = death.routing_keys.iter().map(String::as_str);
        assert!(names.chain(firsts).chain(keys).all(|name| name.len() <= NAME_BYTES_MAX));
        assert!(death.routing_keys.len() <= KEYS_MAX);
        assert!(
            first.is_none_or(|first| (&first.reason, &first.queue) != (&death.reason, &death.queue))
        );
    }
}
