//! The machine against a model of the world: several owners, a Redis that counts by its own clock,
//! answers that come late or never, owners that freeze, a Redis that is emptied or set back. Never
//! may two gates be open at one time.

use proptest::prelude::*;

use super::*;

const OWNERS: usize = 3;
const TERMS: Terms = Terms {
    ttl: Duration::from_millis(1_500),
    margin: Duration::from_millis(300),
    grace: Duration::from_millis(800),
};
const TTL: u64 = 1_500;
const MARGIN: u64 = 300;
const GRACE: u64 = 800;

/// What happens next. Owners are named by number.
#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Acquire(usize),
    Renew(usize),
    /// The answer to the last question arrives.
    Answer(usize),
    /// It never does.
    LoseAnswer(usize),
    /// The owner looks whether Redis still has what it had.
    Look(usize),
    Tick(usize),
    Stop(usize),
    /// The owner has closed everything; whether Redis hears of it.
    Close(usize, bool),
    Freeze(usize, u64),
    /// Redis loses everything.
    Empty,
    /// Redis saves a snapshot.
    Save,
    /// Redis is set back to its snapshot.
    SetBack,
    /// Redis is started anew with all but what it was told since the last look of anybody.
    Restart,
}

#[derive(Debug, Clone, Default)]
struct Data {
    /// Owner, epoch, end.
    lease: Option<(usize, u64, u64)>,
    epoch: u64,
    released: Option<u64>,
}

#[derive(Debug, Default)]
struct Redis {
    data: Data,
    snapshot: Option<Data>,
    /// What was safe at the last look: marks tell of every loss of more.
    looked: Data,
    /// Data were lost, and nobody has looked since.
    lost: bool,
    since: Option<u64>,
    restarted: Option<u64>,
}

#[derive(Debug)]
struct Owner {
    state: State,
    epoch: u64,
    gate_until: u64,
    /// Its gate was shut by a release: nothing of it is connected.
    closed: bool,
    answer: Option<(u64, Event)>,
    frozen_until: u64,
}

struct World {
    start: BootInstant,
    now: u64,
    redis: Redis,
    owners: Vec<Owner>,
    opened: usize,
}

impl World {
    fn new() -> Self {
        let owner = || Owner {
            state: State::Gone,
            epoch: 0,
            gate_until: 0,
            closed: true,
            answer: None,
            frozen_until: 0,
        };
        let owners = (0..OWNERS).map(|_| owner()).collect();
        // Redis' data begin with the world.
        Self { start: BootInstant::now(), now: 1_000, redis: Redis::default(), owners, opened: 0 }
    }

    fn at(&self, ms: u64) -> BootInstant {
        self.start + Duration::from_millis(ms)
    }

    fn ms(&self, at: BootInstant) -> u64 {
        u64::try_from(at.since(self.start).as_millis()).unwrap()
    }

    fn act(&mut self, act: &Act) {
        if let Some((lease_owner, _, end)) = self.redis.data.lease
            && self.now >= end
        {
            let _ran_out = lease_owner;
            self.redis.data.lease = None;
        }
        let owner = match *act {
            Act::Acquire(n)
            | Act::Renew(n)
            | Act::Answer(n)
            | Act::LoseAnswer(n)
            | Act::Look(n)
            | Act::Tick(n)
            | Act::Stop(n)
            | Act::Close(n, _)
            | Act::Freeze(n, _) => Some(n),
            _ => None,
        };
        if owner.is_some_and(|n| self.now < self.owners[n].frozen_until) {
            return;
        }
        match *act {
            Act::Pass(ms) => self.now += ms,
            Act::Acquire(n) => self.acquire(n),
            Act::Renew(n) => self.renew(n),
            Act::Answer(n) => self.answer(n),
            Act::LoseAnswer(n) => {
                if self.owners[n].answer.take().is_some() {
                    self.step(n, Event::Unanswered);
                }
            }
            Act::Look(n) => {
                if let Some(doubt) = self.look() {
                    self.step(n, Event::Doubt(self.at(doubt)));
                }
            }
            Act::Tick(n) => self.step(n, Event::Tick),
            Act::Stop(n) => self.step(n, Event::Stop),
            Act::Close(n, heard) => self.close(n, heard),
            Act::Freeze(n, ms) => self.owners[n].frozen_until = self.now + ms,
            Act::Empty => {
                self.redis.data = Data::default();
                self.redis.lost = true;
            }
            Act::Save => self.redis.snapshot = Some(self.redis.data.clone()),
            Act::SetBack => {
                if let Some(data) = self.redis.snapshot.clone() {
                    self.redis.data = data;
                    self.redis.lost = true;
                }
            }
            Act::Restart => {
                if !self.redis.lost {
                    self.redis.data = self.redis.looked.clone();
                }
                self.redis.restarted = Some(self.now);
            }
        }
    }

    /// Until when nothing may be connected that was just taken.
    fn look(&mut self) -> Option<u64> {
        let redis = &mut self.redis;
        if std::mem::take(&mut redis.lost) {
            redis.since = Some(self.now);
        }
        redis.looked = redis.data.clone();
        let quiet = redis.since.map(|since| since + TTL + GRACE);
        let doubt = redis.restarted.map(|restarted| restarted + TTL);
        quiet.max(doubt).filter(|until| *until > self.now)
    }

    fn acquire(&mut self, n: usize) {
        if !matches!(self.owners[n].state, State::Gone | State::Lost)
            || self.owners[n].answer.is_some()
        {
            return;
        }
        let data = &mut self.redis.data;
        let answer = if data.lease.is_some() {
            Event::Refused
        } else {
            let clean = data.epoch != 0 && data.released == Some(data.epoch);
            data.epoch = (data.epoch + 1).max(self.now);
            data.released = None;
            data.lease = Some((n, data.epoch, self.now + TTL));
            Event::Acquired { clean, doubt: None }
        };
        let epoch = data.epoch;
        let asked_at = self.at(self.now);
        let owner = &mut self.owners[n];
        (owner.state, owner.epoch) = (State::Acquiring { asked_at }, epoch);
        owner.answer = Some((self.now, answer));
    }

    fn renew(&mut self, n: usize) {
        let owner = &self.owners[n];
        if !owner.state.is_ours() || owner.answer.is_some() {
            return;
        }
        let asked_at = self.at(self.now);
        let data = &mut self.redis.data;
        let renewed = match &mut data.lease {
            Some((holder, epoch, end)) if (*holder, *epoch) == (n, owner.epoch) => {
                *end = self.now + TTL;
                Event::Renewed { asked_at }
            }
            _ => Event::Refused,
        };
        self.owners[n].answer = Some((self.now, renewed));
    }

    fn answer(&mut self, n: usize) {
        let Some((_, mut event)) = self.owners[n].answer.take() else { return };
        if let Event::Acquired { doubt, .. } = &mut event {
            // The second look, after the lease was taken.
            let until = self.look();
            *doubt = until.map(|until| self.at(until));
        }
        self.step(n, event);
    }

    fn close(&mut self, n: usize, heard: bool) {
        if !self.owners[n].state.is_ours() {
            return;
        }
        let before = self.owners[n].state;
        self.step(n, Event::Closed);
        if self.owners[n].state != State::Releasing {
            return;
        }
        let epoch = self.owners[n].epoch;
        let data = &mut self.redis.data;
        let ours = data.lease.is_some_and(|(holder, held, _)| (holder, held) == (n, epoch));
        if heard && ours {
            data.lease = None;
            if matches!(before, State::Held { .. } | State::Draining { clean: true, .. }) {
                data.released = Some(epoch);
            }
        }
        self.step(n, if heard { Event::Released } else { Event::Unanswered });
    }

    fn step(&mut self, n: usize, event: Event) {
        let (next, effects) = step(self.owners[n].state, event, self.at(self.now), &TERMS);
        self.owners[n].state = next;
        for effect in effects {
            match effect {
                Effect::OpenGate(until) => {
                    self.may_open(n);
                    self.opened += 1;
                    let until = self.ms(until);
                    let owner = &mut self.owners[n];
                    (owner.gate_until, owner.closed) = (until, false);
                }
                Effect::ExtendGate(until) => {
                    assert!(self.now < self.owners[n].gate_until, "what was shut opens again");
                    self.owners[n].gate_until = self.ms(until);
                }
                Effect::ShutGate => {
                    let now = self.now;
                    let owner = &mut self.owners[n];
                    owner.gate_until = owner.gate_until.min(now);
                    owner.closed = event == Event::Closed;
                }
                Effect::Drain | Effect::Abandon | Effect::Release | Effect::GiveUp => {}
            }
        }
    }

    /// Nobody else's gate is open, and whoever did not say goodbye has been silent for long enough.
    fn may_open(&self, n: usize) {
        // After a restart that lost what nobody can miss, only the margin is sure.
        let silence = match self.redis.restarted {
            Some(restarted) if self.now < restarted + 2 * TTL => MARGIN,
            _ => GRACE,
        };
        for (other, owner) in self.owners.iter().enumerate().filter(|(other, _)| *other != n) {
            assert!(self.now >= owner.gate_until, "{n} opens its gate beside {other}");
            assert!(
                owner.closed || self.now >= owner.gate_until + silence,
                "{n} connects {} ms after {other}, which may still be connected",
                self.now - owner.gate_until,
            );
        }
    }

    fn check(&self) {
        let open = self.owners.iter().filter(|owner| self.now < owner.gate_until).count();
        assert!(open <= 1, "{open} gates are open: {:?}", self.owners);
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let n = || 0..OWNERS;
    let act = prop_oneof![
        8 => (1..400_u64).prop_map(Act::Pass),
        1 => (400..3_000_u64).prop_map(Act::Pass),
        8 => n().prop_map(Act::Acquire),
        6 => n().prop_map(Act::Renew),
        14 => n().prop_map(Act::Answer),
        1 => n().prop_map(Act::LoseAnswer),
        3 => n().prop_map(Act::Look),
        8 => n().prop_map(Act::Tick),
        2 => n().prop_map(Act::Stop),
        3 => (n(), any::<bool>()).prop_map(|(n, heard)| Act::Close(n, heard)),
        1 => (n(), 100..9_000_u64).prop_map(|(n, ms)| Act::Freeze(n, ms)),
        1 => Just(Act::Empty),
        1 => Just(Act::Save),
        1 => Just(Act::SetBack),
        1 => Just(Act::Restart),
    ];
    proptest::collection::vec(act, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn two_gates_are_never_open_and_every_grace_is_kept(acts in acts()) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
    }
}

/// The model is worth something only if its owners get to work.
#[test]
fn an_owner_that_is_left_alone_gets_the_lease_keeps_it_and_hands_it_over() {
    let mut world = World::new();
    let mut act = |act: Act| {
        world.act(&act);
        world.check();
        (world.opened, world.owners[1].state)
    };
    act(Act::Acquire(0));
    act(Act::Answer(0));
    act(Act::Pass(900));
    assert_eq!(act(Act::Tick(0)).0, 1, "after the grace");
    for _ in 0..20 {
        act(Act::Renew(0));
        act(Act::Answer(0));
        act(Act::Pass(300));
    }
    act(Act::Stop(0));
    act(Act::Close(0, true));
    act(Act::Acquire(1));
    let (opened, state) = act(Act::Answer(1));
    assert_eq!(opened, 2, "at once");
    assert!(matches!(state, State::Held { .. }));
}
