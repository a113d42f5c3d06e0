//! `instance limits` and `instance forecast`: how often an account may call Telegram, how it stands with
//! that, and when a command could be carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use proto::{
    InstanceId,
    control::{
        AccountForecast, AccountLimits, AccountSetLimits, BudgetParams, ClassLimit, Forecast,
        NoParams, method,
    },
    time,
};

use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, method_name, read_done, span},
    screen::{BAD, FAINT, GOOD, Screen, UNSURE, paint, plain},
    settings::Settings,
    table::table,
};

/// Arguments of `instance limits`.
#[derive(Debug, Args)]
pub struct LimitsArgs {
    /// The instance.
    instance: InstanceId,
    /// A class's budget: the time for which one call counts, and how many may come at once or in a
    /// day (none: no such cap). What is not named stays. Can be given for several classes.
    #[arg(long, value_name = "CLASS=[TIME][,burst=N][,per-day=N]", value_parser = budget)]
    set: Vec<(String, BudgetParams)>,
    /// Take a class back to what is configured. Can be given more than once.
    #[arg(long, value_name = "CLASS")]
    reset: Vec<String>,
    /// Whether it has smaller budgets in its first days.
    #[arg(long, value_name = "WHICH")]
    warm_up: Option<Switch>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Shows or changes them.
pub async fn run(args: LimitsArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = match args.change()? {
        Some(params) => {
            let name = method::ACCOUNT_SET_LIMITS;
            orders.ask(&args.instance, name, &params, ORDER_TIMEOUT).await?
        }
        None => {
            let name = method::ACCOUNT_LIMITS;
            orders.ask(&args.instance, name, &NoParams {}, ORDER_TIMEOUT).await?
        }
    };
    let limits: AccountLimits = match read_done(&answer, screen)? {
        Ok(limits) => limits,
        Err(done) => return Ok(done),
    };
    screen.put(&limits, || words_of(&limits));
    Ok(Done::Success)
}

/// Tells when a command could be carried out.
pub async fn forecast(
    instance: &InstanceId,
    method: &str,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let params = AccountForecast { method: method_name(method)? };
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::ACCOUNT_FORECAST, &params, ORDER_TIMEOUT).await?;
    let forecast: Forecast = match read_done(&answer, screen)? {
        Ok(forecast) => forecast,
        Err(done) => return Ok(done),
    };
    screen.put(&forecast, || forecast_words(&forecast));
    Ok(Done::Success)
}

impl LimitsArgs {
    fn change(&self) -> Result<Option<AccountSetLimits>, Failure> {
        let set = self.set.iter().map(|(class, budget)| (class.clone(), Some(*budget)));
        let reset = self.reset.iter().map(|class| (class.clone(), None));
        let mut budgets = BTreeMap::new();
        for (class, budget) in reset.chain(set) {
            if budgets.insert(class.clone(), budget).is_some() {
                return Err(Failure::Usage(format!("{class}: is set or reset more than once")));
            }
        }
        let warm_up = self.warm_up.map(|switch| switch == Switch::On);
        let changes = !budgets.is_empty() || warm_up.is_some();
        Ok(changes.then_some(AccountSetLimits { budgets, warm_up }))
    }
}

/// `create=20m,burst=1,per-day=10`.
fn budget(text: &str) -> Result<(String, BudgetParams), String> {
    let form = "a budget is wanted, such as create=20m,burst=1,per-day=10";
    let (class, rest) = text.split_once('=').ok_or(form)?;
    let mut budget = BudgetParams::default();
    for (n, part) in rest.split(',').enumerate() {
        let Some((name, given)) = part.split_once('=') else {
            if n > 0 {
                return Err(form.to_owned());
            }
            budget.every_s = Some(span(part)?.as_secs_f64());
            continue;
        };
        let field = match name {
            "burst" => &mut budget.burst,
            "per-day" => &mut budget.per_day,
            _ => return Err(format!("{name}: unknown; burst and per-day are known")),
        };
        let number = match (name, given) {
            ("per-day", "none") => 0,
            _ => given
                .parse()
                .map_err(|_| format!("{name}: a number from 1 to {} is wanted", u32::MAX))?,
        };
        if field.replace(number).is_some() {
            return Err(format!("{name}: is given twice"));
        }
    }
    Ok((class.to_owned(), budget))
}

/// All limits for people.
#[must_use]
pub fn words_of(limits: &AccountLimits) -> String {
    let heading =
        ["CLASS", "ONE EACH", "BURST", "LEFT", "LAST 24 H", "RATE", "GATE", "PARKED", "NEXT"];
    let rows = limits.classes.iter().map(|class| {
        let per_day = class.per_day.map_or_else(String::new, |most| format!("/{most}"));
        vec![
            class.class.clone(),
            every(class.every_s),
            class.burst.to_string(),
            class.tokens.to_string(),
            format!("{}{per_day}", class.used_today),
            format!("{:.0} %", class.rate * 100.0),
            gate(class),
            class.parked.to_string(),
            when(class.next_at),
        ]
    });
    let mut words = table(&heading, rows);
    words.push_str(&format!("\nbudgets  {}", limits.profile));
    if let Some(until) = limits.warm_up_until {
        words.push_str(&format!(", smaller ones until {}", time::format(until)));
    }
    for chat in &limits.chats {
        let until = chat.closed_until.map(|until| format!(" until {}", time::format(until)));
        let until = until.unwrap_or_else(|| " no more".to_owned());
        words.push_str(&format!(
            "\nchat     {}: slow mode{until}, {} parked",
            chat.chat_id, chat.parked
        ));
    }
    if let Some(groups) = &limits.groups {
        let at = time::format(groups.counted_at);
        words.push_str(&format!("\ngroups   {} of {} (counted {at})", groups.used, groups.most));
    }
    words
}

fn gate(class: &ClassLimit) -> String {
    if !class.closed {
        return paint(GOOD, "open");
    }
    let why = class.reason.as_deref().map(plain).unwrap_or_default();
    match class.closed_until {
        Some(until) => paint(UNSURE, &format!("shut until {} ({why})", time::format(until))),
        // A sentence, where the circuit says why: it would stretch the table.
        None if why.contains(' ') => paint(BAD, "shut until resumed"),
        None => paint(BAD, &format!("shut until resumed ({why})")),
    }
}

fn forecast_words(forecast: &Forecast) -> String {
    let why = forecast.reason.as_deref().map(plain).unwrap_or_default();
    let Some(class) = &forecast.class else {
        return match forecast.next_at {
            Some(_) => format!("{} can be done {}", forecast.method, paint(GOOD, "now")),
            None if why == "ACCOUNT_FULL" => {
                format!(
                    "{} can't be done: the account is in as many groups as it may be",
                    forecast.method
                )
            }
            None => format!("{} can be done {}: {why}", forecast.method, when(None)),
        };
    };
    let parked = match forecast.parked {
        0 => String::new(),
        1 => ", after 1 command that waits".to_owned(),
        many => format!(", after {many} commands that wait"),
    };
    let when = paint(UNSURE, &when(forecast.next_at));
    format!("{} can be done {when}{parked}: {class} is limited ({why})", forecast.method)
}

/// A point in time that is to come, also as a span from now.
#[must_use]
pub fn when(at: Option<DateTime<Utc>>) -> String {
    let Some(at) = at else { return "when it is resumed".to_owned() };
    match (at - Utc::now()).to_std() {
        Ok(left) if left >= Duration::from_secs(1) => {
            let left = humantime::format_duration(Duration::from_secs(left.as_secs()));
            format!("in {left} {}", paint(FAINT, &time::format(at)))
        }
        _ => "now".to_owned(),
    }
}

fn every(seconds: f64) -> String {
    let millis = Duration::from_secs_f64(seconds.max(0.0)).as_millis();
    let rounded = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    humantime::format_duration(rounded).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_read_as_people_write_it() {
        let (class, read) = budget("create=20m,burst=2,per-day=10").unwrap();
        assert_eq!(class, "create");
        let all = BudgetParams { every_s: Some(1_200.0), burst: Some(2), per_day: Some(10) };
        assert_eq!(read, all);
        assert_eq!(budget("link=500ms").unwrap().1.burst, None, "it stays");
        let uncapped = BudgetParams { per_day: Some(0), ..BudgetParams::default() };
        assert_eq!(budget("link=per-day=none").unwrap().1, uncapped);
        for (text, said) in [
            ("create", "such as create=20m"),
            ("create=often", "a span of time"),
            ("create=1m,bursts=2", "bursts: unknown"),
            ("create=1m,burst=two", "burst: a number"),
            ("create=1m,burst=99999999999", "burst: a number from 1"),
            ("create=1m,burst=1,burst=2", "burst: is given twice"),
        ] {
            assert!(budget(text).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_forecast_is_a_sentence() {
        let mut told = Forecast {
            instance: "acme".parse().unwrap(),
            method: "group.create".parse().unwrap(),
            class: None,
            reason: None,
            parked: 0,
            next_at: Some(Utc::now()),
        };
        let shown =
            |told: &Forecast| anstream::adapter::strip_str(&forecast_words(told)).to_string();
        assert_eq!(shown(&told), "group.create can be done now");
        (told.next_at, told.reason) = (None, Some("a check".to_owned()));
        assert_eq!(shown(&told), "group.create can be done when it is resumed: a check");
        told.class = Some("create".to_owned());
        told.reason = Some("PAUSED".to_owned());
        (told.parked, told.next_at) = (3, None);
        assert_eq!(
            shown(&told),
            "group.create can be done when it is resumed, after 3 commands that wait: create is \
             limited (PAUSED)"
        );
    }
}
