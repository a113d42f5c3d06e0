use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chassis::HandClock;
use chrono::TimeDelta;
use proto::ChatId;
use proto::fault::code;
use store::{InstanceLimits, InstanceRecord, OwnBudget};

use super::*;
use crate::limits::{LimitsConfig, Profile, Waiting};

const ONE: NonZeroU32 = NonZeroU32::MIN;

/// Keeps what was kept last, as Redis does; and as that it may be away.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Option<String>>>, Arc<AtomicBool>);

impl Keeping for Shelf {
    async fn keep(&self, text: String) -> Result<(), StoreError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(StoreError::Unreachable { store: "redis", why: "away".to_owned() });
        }
        *self.0.lock().unwrap() = Some(text);
        Ok(())
    }
}

struct Ground {
    clock: Clock,
    hand: HandClock,
    shelf: Shelf,
    record: InstanceRecord,
}

impl Ground {
    fn new() -> Self {
        let (clock, hand) = Clock::by_hand(proto::time::parse("2026-11-23T08:00:00Z").unwrap());
        let record = InstanceRecord::new("acme".parse().unwrap(), clock.now());
        Self { clock, hand, shelf: Shelf::default(), record }
    }

    fn settings(&self) -> Settings {
        Settings::of(&LimitsConfig::default(), &self.record)
    }

    /// The limiter of the next owner.
    fn owner(&self, lost: bool) -> Limiter<Shelf> {
        let kept = self.shelf.0.lock().unwrap().as_deref().and_then(Kept::read);
        Limiter::new(self.settings(), kept, lost, self.clock.clone(), self.shelf.clone())
    }

    fn store_is_away(&self, away: bool) {
        self.shelf.1.store(away, Ordering::Relaxed);
    }

    fn pass(&self, seconds: i64) {
        self.hand.advance(TimeDelta::seconds(seconds));
    }
}

fn ask(class: Class) -> Ask {
    Ask { class, cost: ONE, chat: None }
}

fn flood(class: Class, wait_s: u64) -> Hit {
    Hit { ask: ask(class), code: "FLOOD_WAIT".to_owned(), wait_s: Some(wait_s) }
}

#[tokio::test]
async fn what_is_used_is_carried_over_to_the_next_owner() {
    let ground = Ground::new();
    let first = ground.owner(false);
    assert_eq!(first.ask(ask(Class::Create)).await.unwrap(), Ok(()));
    assert_eq!(first.ask(ask(Class::Create)).await.unwrap(), Ok(()));
    let second = ground.owner(false);
    let spent = second.ask(ask(Class::Create)).await.unwrap().unwrap_err();
    assert_eq!(spent.code, code::BUDGET_SPENT);
    assert_eq!(spent.opens, Some(ground.clock.now() + TimeDelta::seconds(600)));
    assert_eq!(second.when(Lane::Class(Class::Create)), Some(spent));
    ground.pass(600);
    assert_eq!(ground.owner(false).ask(ask(Class::Create)).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn where_it_is_lost_every_burst_counts_as_spent() {
    let ground = Ground::new();
    assert!(ground.owner(true).ask(ask(Class::Create)).await.unwrap().is_err());
    assert!(ground.owner(false).ask(ask(Class::Create)).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_flood_wait_shuts_its_class_for_every_owner_and_halves_its_rate() {
    let ground = Ground::new();
    let (shut, trip) = ground.owner(false).hit(&flood(Class::Invite, 3_600)).await.unwrap();
    assert_eq!(shut.opens, Some(ground.clock.now() + TimeDelta::seconds(3_601)));
    assert_eq!(trip, None);
    let next = ground.owner(false);
    assert_eq!(next.ask(ask(Class::Invite)).await.unwrap(), Err(shut));
    assert!(next.ask(ask(Class::InviteKnown)).await.unwrap().is_err());
    assert_eq!(next.ask(ask(Class::Link)).await.unwrap(), Ok(()));
    let limit = next.class_limit(Class::Invite, Waiting::default(), None).unwrap();
    assert!((limit.every_s - 120.0).abs() < 1e-6 && limit.closed, "{limit:?}");
    assert_eq!(limit.reason.as_deref(), Some("FLOOD_WAIT"));

    ground.pass(3_601);
    assert_eq!(next.ask(ask(Class::Invite)).await.unwrap(), Ok(()));
    ground.pass(86_400);
    let limit = ground.owner(false).class_limit(Class::Invite, Waiting::default(), None).unwrap();
    assert!((limit.rate - 1.0).abs() < 1e-6 && !limit.closed, "{limit:?}");
}

#[tokio::test]
async fn what_could_not_be_written_down_is_not_called_and_costs_nothing() {
    let ground = Ground::new();
    let limiter = ground.owner(false);
    ground.store_is_away(true);
    for _ in 0..5 {
        assert!(limiter.ask(ask(Class::Create)).await.is_err());
    }
    ground.store_is_away(false);
    assert_eq!(limiter.ask(ask(Class::Create)).await.unwrap(), Ok(()));
    assert_eq!(limiter.ask(ask(Class::Create)).await.unwrap(), Ok(()));
    assert!(limiter.ask(ask(Class::Create)).await.unwrap().is_err());
    assert_eq!(limiter.class_limit(Class::Create, Waiting::default(), None).unwrap().used_today, 2);
}

#[tokio::test]
async fn a_limit_that_is_told_or_written_down_twice_counts_once() {
    let ground = Ground::new();
    let limiter = ground.owner(false);
    ground.store_is_away(true);
    let peer_flood = Hit { code: "PEER_FLOOD".to_owned(), wait_s: None, ..flood(Class::Invite, 0) };
    assert!(limiter.hit(&peer_flood).await.is_err());
    assert!(limiter.hit(&flood(Class::Link, 60)).await.is_err());
    ground.store_is_away(false);
    assert_eq!(limiter.hit(&peer_flood).await.unwrap().1, None, "it was one, not two");
    limiter.hit(&flood(Class::Link, 60)).await.unwrap();
    let rate = limiter.class_limit(Class::Link, Waiting::default(), None).unwrap().rate;
    assert!((rate - 0.5).abs() < 1e-9, "{rate}");
    // A shorter wait that comes late does not say that the gate opens earlier.
    let (shut, _) = limiter.hit(&flood(Class::Link, 5)).await.unwrap();
    assert_eq!(shut.opens, Some(ground.clock.now() + TimeDelta::seconds(61)));
}

#[tokio::test]
async fn one_warning_too_many_holds_calls_back_until_its_pause_is_noted_by_whichever_owner() {
    let ground = Ground::new();
    let first = ground.owner(false);
    let trip = first.invited(2, 18).unwrap();
    first.flush().await.unwrap();
    let next = ground.owner(false);
    assert_eq!(next.tripped(), Some(trip));
    let paused = next.ask(ask(Class::Invite)).await.unwrap().unwrap_err();
    assert_eq!((paused.opens, paused.code.as_str()), (None, code::PAUSED));
    assert_eq!(next.when(Lane::Class(Class::InviteKnown)).and_then(|shut| shut.opens), None);
    assert_eq!(next.ask(ask(Class::Link)).await.unwrap(), Ok(()));

    next.stopped().await.unwrap();
    let last = ground.owner(false);
    assert_eq!(last.tripped(), None);
    assert_eq!(last.ask(ask(Class::Invite)).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_batch_that_a_young_account_may_make_once_a_day_goes_through() {
    let mut ground = Ground::new();
    ground.record.connected_at = Some(ground.clock.now());
    let limiter = ground.owner(false);
    // Ten at once, of six a day.
    let batch = limiter.at_once(Class::Invite);
    let cost = NonZeroU32::new(u32::try_from(batch).unwrap()).unwrap();
    let batch = Ask { cost, ..ask(Class::Invite) };
    assert_eq!(
        limiter.class_limit(Class::Invite, Waiting::default(), None).unwrap().per_day,
        Some(6)
    );
    assert_eq!(limiter.ask(batch).await.unwrap(), Ok(()));
    let wait = limiter.ask(batch).await.unwrap().unwrap_err().opens.unwrap() - ground.clock.now();
    assert!(wait > TimeDelta::hours(48), "{wait}");
}

#[tokio::test]
async fn slow_mode_shuts_one_chat() {
    let ground = Ground::new();
    let limiter = ground.owner(false);
    let chat = ChatId::try_from(-1_001_234).unwrap();
    let there = Ask { chat: Some(chat), ..ask(Class::Admin) };
    let slow = Hit { ask: there, code: "SLOWMODE_WAIT".to_owned(), wait_s: Some(30) };
    let (shut, _) = limiter.hit(&slow).await.unwrap();
    assert_eq!(shut.lane, Lane::Slow(chat));
    assert!(limiter.ask(there).await.unwrap().is_err());
    assert_eq!(limiter.ask(ask(Class::Admin)).await.unwrap(), Ok(()));
    assert_eq!(ground.owner(false).when(Lane::Slow(chat)), Some(shut));
}

#[tokio::test]
async fn a_forecast_counts_those_ahead() {
    let ground = Ground::new();
    let limiter = ground.owner(false);
    let now = ground.clock.now();
    let minutes = |n| now + TimeDelta::minutes(n);
    assert_eq!(limiter.forecast(Class::Create, 0), now);
    assert_eq!(limiter.forecast(Class::Create, 1), now);
    assert_eq!(limiter.forecast(Class::Create, 3), minutes(20));
    // Twenty a day: the next ones come when today's are forgotten.
    assert!(limiter.forecast(Class::Create, 25) >= now + TimeDelta::hours(24));
    limiter.hit(&flood(Class::Create, 3_599)).await.unwrap();
    assert_eq!(limiter.forecast(Class::Create, 0), minutes(60));
    assert_eq!(limiter.forecast(Class::Create, 2), minutes(80));
}

#[tokio::test]
async fn other_settings_hold_at_once_and_forget_nothing() {
    let mut ground = Ground::new();
    let limiter = ground.owner(false);
    assert!(limiter.ask(ask(Class::Create)).await.unwrap().is_ok());
    let own = OwnBudget { every_s: 60.0, burst: 3, per_day: None };
    let budgets = BTreeMap::from([("create".to_owned(), own)]);
    ground.record.limits = Some(InstanceLimits { budgets, warm_up: None });
    limiter.reconfigure(ground.settings());
    assert_eq!(limiter.at_once(Class::Create), 3);
    for _ in 0..2 {
        assert!(limiter.ask(ask(Class::Create)).await.unwrap().is_ok());
    }
    let spent = limiter.ask(ask(Class::Create)).await.unwrap().unwrap_err();
    assert_eq!(spent.opens, Some(ground.clock.now() + TimeDelta::seconds(60)));
}

#[tokio::test]
async fn a_young_account_has_smaller_budgets_that_grow() {
    let mut ground = Ground::new();
    ground.record.connected_at = Some(ground.clock.now());
    let limiter = ground.owner(false);
    let of = |limiter: &Limiter<Shelf>| {
        limiter.class_limit(Class::Create, Waiting::default(), None).unwrap()
    };
    assert_eq!((of(&limiter).burst, of(&limiter).per_day), (1, Some(4)));
    assert_eq!(limiter.at_once(Class::Create), 2, "batches are cut the same on every day");
    ground.pass(14 * 86_400);
    assert_eq!((of(&limiter).burst, of(&limiter).per_day), (2, Some(20)));
    let sandbox = LimitsConfig { profile: Profile::Sandbox, ..LimitsConfig::default() };
    assert_eq!(Settings::of(&sandbox, &ground.record).warm_up_until(ground.clock.now()), None);
}

#[test]
fn what_another_release_kept_counts_as_lost() {
    assert_eq!(Kept::read("{"), None);
    assert_eq!(Kept::read(r#"{"v":9,"used":{},"gates":[],"circuit":{}}"#), None);
}
