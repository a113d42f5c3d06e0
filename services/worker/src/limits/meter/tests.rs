use chassis::HandClock;
use proptest::prelude::*;

use super::*;

const ONE: NonZeroU32 = NonZeroU32::MIN;

fn calls(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn budget(every_s: f64, burst: u32, per_day: u32) -> Budget {
    Budget { every_s, burst: calls(burst), per_day: NonZeroU32::new(per_day) }
}

fn clock() -> (Clock, HandClock) {
    Clock::by_hand(proto::time::parse("2026-11-23T08:00:00Z").unwrap())
}

fn meter(budget: Budget) -> (Meter, HandClock, Clock) {
    let (clock, hand) = clock();
    (Meter::new(budget, &Used::default(), &clock), hand, clock)
}

#[test]
fn a_burst_goes_through_and_the_next_is_told_when() {
    let (mut meter, hand, clock) = meter(budget(600.0, 2, 0));
    assert_eq!(meter.tokens(), 2);
    assert!(meter.take(ONE).is_ok() && meter.take(ONE).is_ok());
    let opens = meter.take(ONE).unwrap_err();
    assert_eq!(opens - clock.now(), TimeDelta::seconds(600));
    assert_eq!(meter.opens(1, ONE).unwrap() - clock.now(), TimeDelta::seconds(1_200));
    assert_eq!(meter.tokens(), 0);
    hand.set(opens);
    assert!(meter.take(ONE).is_ok() && meter.take(ONE).is_err());
}

#[test]
fn more_than_the_burst_needs_a_whole_budget_and_owes_the_rest() {
    let (mut meter, hand, clock) = meter(budget(10.0, 5, 0));
    assert!(meter.take(ONE).is_ok());
    let opens = meter.take(calls(8)).unwrap_err();
    assert_eq!(opens - clock.now(), TimeDelta::seconds(10));
    hand.set(opens);
    assert!(meter.take(calls(8)).is_ok());
    // Eight calls at ten seconds, of which four were spare beside the first.
    assert_eq!(meter.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(40));
}

#[test]
fn another_rate_carries_the_debt_over_in_calls() {
    let (mut meter, _hand, clock) = meter(budget(60.0, 10, 0));
    assert!(meter.take(calls(4)).is_ok());
    meter.refit(budget(120.0, 10, 0));
    assert_eq!(meter.tokens(), 6);
    assert!(meter.take(calls(6)).is_ok());
    assert_eq!(meter.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(120));
    meter.refit(budget(60.0, 10, 0));
    assert_eq!(meter.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(60));
}

#[test]
fn what_was_kept_at_another_rate_is_owed_in_calls_too() {
    let (mut meter, _hand, clock) = meter(budget(60.0, 10, 0));
    assert!(meter.take(calls(10)).is_ok());
    let mut next = Meter::new(budget(120.0, 10, 0), &meter.used(), &clock);
    assert_eq!(next.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(120));
    assert_eq!(next.tokens(), 0);
}

#[test]
fn a_clock_that_was_wrong_by_years_shuts_nobody_out_for_years() {
    let (_, _hand, clock) = meter(budget(1.0, 10, 0));
    let later = clock.now() + TimeDelta::days(9_000);
    let whole_at_ms = u64::try_from(later.timestamp_millis()).unwrap();
    let used = Used { whole_at_ms, ..Used::default() };
    let mut meter = Meter::new(budget(1.0, 10, 0), &used, &clock);
    assert!(meter.take(ONE).unwrap_err() - clock.now() <= TimeDelta::seconds(1_010));
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let (mut meter, _hand, clock) = meter(budget(60.0, 2, 5));
    assert!(meter.take(calls(4)).is_ok());
    meter.give_back(calls(4));
    assert_eq!((meter.tokens(), meter.used_today()), (2, 0));
    assert!(meter.take(calls(2)).is_ok());
    assert_eq!(meter.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(60));
}

#[test]
fn a_whole_budget_lets_a_call_through_at_any_nanosecond() {
    let (mut meter, hand, _clock) = meter(budget(600.0, 1, 0));
    for _ in 0..3 {
        hand.advance(TimeDelta::nanoseconds(600_000_000_123));
        assert!(meter.take(ONE).is_ok());
        assert!(meter.take(ONE).is_err());
    }
}

#[test]
fn a_day_has_its_cap() {
    let (mut meter, hand, clock) = meter(budget(1.0, 10, 3));
    assert!(meter.take(calls(3)).is_ok());
    assert_eq!((meter.tokens(), meter.used_today()), (0, 3));
    let opens = meter.take(ONE).unwrap_err();
    assert!(opens - clock.now() >= TimeDelta::hours(24), "{opens}");
    hand.set(opens);
    assert!(meter.take(ONE).is_ok());
}

#[test]
fn where_nobody_knows_the_burst_is_spent() {
    let (mut meter, _hand, clock) = meter(budget(600.0, 2, 0));
    meter.spend_burst();
    assert_eq!(meter.tokens(), 0);
    assert_eq!(meter.take(ONE).unwrap_err() - clock.now(), TimeDelta::seconds(600));
}

proptest! {
    /// In no stretch of time are more calls let through than the burst and what came since; and a
    /// meter that is stored and loaded at any moment lets the same ones through.
    #[test]
    fn a_meter_keeps_its_promise_across_restarts(
        every_ms in 1_u32..5_000,
        burst in 1_u32..6,
        pauses in prop::collection::vec(0_i64..4_000, 1..80),
        restarts in prop::collection::vec(any::<bool>(), 80),
    ) {
        let budget = budget(f64::from(every_ms) / 1_000.0, burst, 0);
        let (clock, hand) = clock();
        let mut steady = Meter::new(budget, &Used::default(), &clock);
        let mut restarted = Meter::new(budget, &Used::default(), &clock);
        let mut made: Vec<DateTime<Utc>> = Vec::new();
        for (pause, restart) in pauses.into_iter().zip(restarts) {
            hand.advance(TimeDelta::milliseconds(pause));
            if restart {
                restarted = Meter::new(budget, &restarted.used(), &clock);
            }
            let let_through = steady.take(ONE).is_ok();
            prop_assert_eq!(let_through, restarted.take(ONE).is_ok());
            if let_through {
                made.push(clock.now());
                for (first, since) in made.iter().enumerate() {
                    let count = made.len() - first;
                    let elapsed = (clock.now() - *since).as_seconds_f64();
                    let most = f64::from(burst) + elapsed / budget.every_s + 1e-6;
                    prop_assert!(f64::from(u32::try_from(count).unwrap()) <= most);
                }
            }
        }
    }
}
