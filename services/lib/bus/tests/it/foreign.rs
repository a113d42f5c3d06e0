//! A client of the old kind, spoken by hand: lapin, like most clients of today, can't send a short
//! string that is not UTF-8.

use anyhow::{Context as _, Result, ensure};
use queuegram_bus::Subscription;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::ground::{Ground, instance, next, numbered, publish, text};

fn short(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

fn long(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

struct Wire(TcpStream);

impl Wire {
    async fn send(&mut self, frame_type: u8, channel: u8, payload: &[u8]) -> Result<()> {
        let head = [&[frame_type, 0, channel][..], &(payload.len() as u32).to_be_bytes()].concat();
        Ok(self.0.write_all(&[&head[..], payload, &[0xce]].concat()).await?)
    }

    /// The next frame's payload, which must be the method (class, id).
    async fn expect(&mut self, class: u8, method: u8) -> Result<Vec<u8>> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).await?;
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut payload = vec![0; size as usize + 1];
        self.0.read_exact(&mut payload).await?;
        ensure!(payload[..4] == [0, class, 0, method], "{payload:x?}");
        Ok(payload[4..size as usize].to_vec())
    }

    /// Logs in and opens channel 1 with confirms.
    async fn open(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let address = (url.host_str().context("host")?, url.port().context("port")?);
        let mut wire = Self(TcpStream::connect(address).await?);
        wire.0.write_all(b"AMQP\x00\x00\x09\x01").await?;
        wire.expect(10, 10).await?;
        let password = url.password().context("password")?;
        let login = format!("\0{}\0{password}", url.username());
        let start = [long(b""), short(b"PLAIN"), long(login.as_bytes()), short(b"en_US")].concat();
        wire.send(1, 0, &[&[0, 10, 0, 11][..], &start].concat()).await?;
        let tune = wire.expect(10, 30).await?;
        wire.send(1, 0, &[&[0, 10, 0, 31][..], &tune].concat()).await?;
        let vhost = url.path().trim_start_matches('/');
        let open = [short(vhost.as_bytes()), short(b""), vec![0]].concat();
        wire.send(1, 0, &[&[0, 10, 0, 40][..], &open].concat()).await?;
        wire.expect(10, 41).await?;
        wire.send(1, 1, &[&[0, 20, 0, 10][..], &short(b"")].concat()).await?;
        wire.expect(20, 11).await?;
        wire.send(1, 1, &[0, 85, 0, 10, 0]).await?;
        wire.expect(85, 11).await?;
        Ok(wire)
    }

    /// Publishes with a correlation id and a header name as they come.
    async fn publish(&mut self, key: &[u8], correlation: &[u8], body: &[u8]) -> Result<()> {
        let publish = [vec![0, 0], short(b"tg.commands"), short(key), vec![0]].concat();
        self.send(1, 1, &[&[0, 60, 0, 40][..], &publish].concat()).await?;
        let table = [short(correlation), vec![b'S'], long(correlation)].concat();
        let flags: u16 = 1 << 13 | 1 << 12 | 1 << 10;
        let mut header = vec![0, 60, 0, 0];
        header.extend((body.len() as u64).to_be_bytes());
        header.extend(flags.to_be_bytes());
        header.extend([long(&table), vec![2], short(correlation)].concat());
        self.send(2, 1, &header).await?;
        self.send(3, 1, body).await?;
        self.expect(60, 80).await?;
        Ok(())
    }
}

#[tokio::test]
async fn a_command_with_a_correlation_id_that_is_not_utf8_arrives_and_hurts_nobody() -> Result<()> {
    let ground = Ground::new("latin").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let mut foreign = Wire::open(&ground.vhost.amqp_url).await?;
    foreign.publish(b"acme.group.cr\xe9er", b"caf\xe9", b"first \xe9").await?;
    publish(&bus, numbered("tg.commands", "acme.group.create", 2)).await?;
    let mut consumption = bus.consume(Subscription::new("tg.commands.acme")).await?;
    let delivery = next(&mut consumption).await?;
    assert_eq!(delivery.properties.correlation_id.as_deref(), Some("caf?"));
    assert_eq!(delivery.routing_key, "acme.group.cr?er");
    assert_eq!(delivery.body, b"first \xe9", "bodies are not ours to touch");
    delivery.ack().await?;
    let delivery = next(&mut consumption).await?;
    assert_eq!(text(&delivery), "2");
    delivery.ack().await?;
    assert_eq!((bus.counts().connections, bus.counts().lost_consumptions), (3, 0));

    // Dead letters carry their routing key in a nested header.
    foreign.publish(b"acme.group.cr\xe9er", b"caf\xe9", b"x").await?;
    next(&mut consumption).await?.dead_letter().await?;
    let mut undelivered = bus.consume(Subscription::new("tg.undelivered")).await?;
    let dead = next(&mut undelivered).await?;
    assert_eq!(dead.routing_key, "acme.group.cr?er");
    assert!(dead.death.is_some());
    dead.ack().await?;
    Ok(())
}
