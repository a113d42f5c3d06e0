//! The checks themselves, from the broker outwards to the accounts.

use std::time::Duration;

use bus::{Bus, Finding, Management, Severity, Topology};
use proto::{
    CommandBody, InstanceId, Status,
    control::{AccountInfo, AccountList, NoParams, method},
    event::AccountState,
    fault::code,
};

use super::lanes;
use super::report::{Report, State};
use crate::{
    broker::{Question, publish},
    exit::Failure,
    order::{Orders, command_id, deadline, method_name, new_id},
    settings::Settings,
};

const APPLY: &str = "queuegram topology apply";
/// More backlog than this without a consumer is worth a word.
const BACKLOG: u32 = 1;

/// Looks at everything that can be looked at.
pub async fn examine(settings: &Settings, patience: Duration) -> Report {
    let mut report = Report::default();
    let Some(bus) = broker(settings, &mut report).await else { return report };
    let management = management(settings, &bus, &mut report).await;
    let kept = probe(&bus, &mut report).await;
    if !kept {
        report.skipped("workers", "orders would not reach them");
        return report;
    }
    let Some(accounts) = workers(&bus, patience, &mut report).await else { return report };
    unknown_instance(&bus, patience, &mut report).await;
    for account in &accounts {
        instance(&bus, account, &mut report).await;
    }
    if let Some(management) = management {
        lanes::examine(&bus, &management, &accounts, patience, &mut report).await;
    }
    report
}

async fn broker(settings: &Settings, report: &mut Report) -> Option<Bus> {
    let url = settings.amqp.url.to_string();
    match Bus::connect(&settings.amqp, "queuegram doctor").await {
        Ok(bus) => {
            report.ok("broker", url);
            Some(bus)
        }
        Err(error) => {
            let failure = Failure::Bus(error);
            let hint = failure.hint().unwrap_or("check QUEUEGRAM_AMQP__URL").to_owned();
            report.trouble(State::Bad, "broker", format!("{url}: {failure}"), hint);
            None
        }
    }
}

/// Exchanges with their types, queues, bindings, policies and our own permissions, as the management API sees them;
/// the API itself, where it answers.
async fn management(settings: &Settings, bus: &Bus, report: &mut Report) -> Option<Management> {
    const SUBJECT: &str = "management API";
    const HINT: &str = "rabbitmq-plugins enable rabbitmq_management, QUEUEGRAM_AMQP__MANAGEMENT_URL, \
                        and a user with the tag monitoring";
    let management = match Management::new(&settings.amqp) {
        Ok(management) => management,
        Err(error) => {
            report.trouble(State::Warning, SUBJECT, error.to_string(), HINT);
            return None;
        }
    };
    let version = match management.version().await {
        Ok(version) => version,
        // Messages flow without it; only what it would show stays unseen.
        Err(error) => {
            report.trouble(State::Warning, SUBJECT, error.to_string(), HINT);
            return None;
        }
    };
    report.ok(SUBJECT, format!("RabbitMQ {version} at {}", management.address()));
    let topology = Topology::describe(bus.names(), settings.amqp.queue_kind, version);
    match topology.check(&management).await {
        Ok(findings) if findings.is_empty() => {
            let (exchanges, queues) = (topology.exchanges.len(), topology.queues.len());
            let policies = topology.policies.len();
            report.ok(
                "topology",
                format!("{exchanges} exchanges, {queues} queues, {policies} policies are in force"),
            );
        }
        Ok(findings) => tell(findings, report),
        Err(error) => report.trouble(State::Warning, "topology", error.to_string(), HINT),
    }
    Some(management)
}

/// One row for all that lack the same and need the same: on a fresh broker that is everything.
fn tell(findings: Vec<Finding>, report: &mut Report) {
    let mut groups: Vec<(Finding, Vec<String>)> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            (other.severity, &other.what, &other.remedy)
                == (finding.severity, &finding.what, &finding.remedy)
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((_, subjects)) => subjects.push(finding.subject),
            None => groups.push((finding.clone(), vec![finding.subject])),
        }
    }
    for (finding, subjects) in groups {
        let state = match finding.severity {
            Severity::Warning => State::Warning,
            Severity::Problem => State::Bad,
        };
        match subjects.as_slice() {
            [subject] => report.trouble(state, subject, finding.what, finding.remedy),
            all => {
                let detail = format!("{}, {} of them: {}", finding.what, all.len(), all.join(", "));
                report.trouble(state, "topology", detail, finding.remedy);
            }
        }
    }
}

/// Whether what can't be routed is kept for an answer; says so even where the management API is out of reach.
async fn probe(bus: &Bus, report: &mut Report) -> bool {
    const SUBJECT: &str = "unroutable messages";
    match bus.probe().await {
        Ok(probe) if probe.passed() => {
            report.ok(SUBJECT, "are kept for an answer");
            true
        }
        Ok(probe) => {
            let what = if probe.commands_kept { "orders" } else { "commands" };
            let detail = format!("{what} for an unknown instance vanish");
            report.trouble(State::Bad, SUBJECT, detail, APPLY);
            false
        }
        Err(error) => {
            let failure = Failure::Bus(error);
            let hint = failure.hint().unwrap_or(APPLY).to_owned();
            report.trouble(State::Bad, SUBJECT, failure.to_string(), hint);
            false
        }
    }
}

/// Any worker answers `account.list`, from its stores.
async fn workers(bus: &Bus, patience: Duration, report: &mut Report) -> Option<Vec<AccountInfo>> {
    const SUBJECT: &str = "workers";
    let asked = async {
        let mut orders = Orders::open(bus.clone()).await?;
        orders.ask(&InstanceId::every(), method::ACCOUNT_LIST, &NoParams {}, patience).await
    };
    let answer = match asked.await {
        Ok(answer) => answer,
        Err(failure) => {
            let hint = "is queuegram-worker running, on this vhost and with this prefix? Its /ready says what it misses";
            report.trouble(State::Bad, SUBJECT, failure.to_string(), hint);
            return None;
        }
    };
    if answer.status != Status::Done {
        let (code, message) =
            (answer.error_code.unwrap_or_default(), answer.error_message.unwrap_or_default());
        report.ok(SUBJECT, "answer");
        let hint = "look at the worker's Redis and vault: its log and /ready say what it misses";
        report.trouble(State::Bad, "stores of the worker", format!("{code}: {message}"), hint);
        return None;
    }
    match serde_json::from_value::<AccountList>(answer.result) {
        Ok(list) => {
            report.ok(SUBJECT, "answer, and reach their stores");
            Some(list.accounts)
        }
        Err(error) => {
            let hint = "are worker and command line of the same version?";
            report.trouble(State::Bad, SUBJECT, error.to_string(), hint);
            None
        }
    }
}

/// A command to an instance that doesn't exist must be answered, not lost.
async fn unknown_instance(bus: &Bus, patience: Duration, report: &mut Report) {
    const SUBJECT: &str = "command to an unknown instance";
    match ask_unknown(bus, patience).await {
        Ok(Some(answered)) if answered == code::INSTANCE_NOT_FOUND => {
            report.ok(SUBJECT, format!("is answered {answered}"));
        }
        Ok(answered) => {
            let detail = answered.map_or_else(
                || format!("has no answer within {}", humantime::format_duration(patience)),
                |answered| {
                    format!("is answered {answered} instead of {}", code::INSTANCE_NOT_FOUND)
                },
            );
            let hint = "does a worker consume the queue of unrouted commands? Look at its log";
            report.trouble(State::Bad, SUBJECT, detail, hint);
        }
        Err(failure) => {
            let hint = failure.hint().unwrap_or(APPLY).to_owned();
            report.trouble(State::Bad, SUBJECT, failure.to_string(), hint);
        }
    }
}

async fn ask_unknown(bus: &Bus, patience: Duration) -> Result<Option<String>, Failure> {
    let id = new_id();
    let nobody = format!("doctor-{}", uuid::Uuid::now_v7().simple());
    let nobody: InstanceId =
        nobody.parse().map_err(|error: proto::ids::IdError| anyhow::anyhow!("{error}"))?;
    // Reads nothing and changes nothing, whoever should answer it.
    let asked = method_name("user.common_groups")?;
    let body = CommandBody {
        id: Some(command_id(&id)?),
        method: Some(asked.clone()),
        instance: Some(nobody.clone()),
        deadline: Some(deadline(patience)?),
        ..CommandBody::default()
    };
    let mut replies = bus.call_queue().await?;
    let question = Question {
        exchange: bus.names().commands(),
        routing_key: bus.names().command_key(&nobody, &asked),
        id: id.clone(),
        method: asked.to_string(),
        reply_to: Some(replies.reply_to().to_owned()),
        body: serde_json::to_vec(&body)?,
    };
    publish(bus, question).await?;
    let Some(reply) = replies.wait_for(&id, patience).await? else { return Ok(None) };
    let result: proto::CommandResult = serde_json::from_slice(&reply.body)?;
    Ok(Some(result.error_code.unwrap_or_else(|| result.status.as_str().to_owned())))
}

/// How an account stands, and whether somebody works off its queue.
async fn instance(bus: &Bus, account: &AccountInfo, report: &mut Report) {
    let id = &account.instance;
    let subject = format!("instance {id}");
    let (state, hint) = verdict(account);
    let because = account.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let detail = format!("{}{because}", account.state.as_str());
    match hint {
        None => report.ok(&subject, detail),
        Some(hint) => report.trouble(state, &subject, detail, hint),
    }
    let queue = bus.names().command_queue(id);
    match bus.queue_depth(&queue).await {
        Ok(Some(depth)) if depth.consumers == 0 && depth.ready >= BACKLOG => report.trouble(
            State::Warning,
            format!("queue {queue}"),
            format!("{} commands wait and nobody consumes", depth.ready),
            "is the account connected, and a worker with room running?",
        ),
        Ok(Some(_)) => {}
        // An instance that was never connected may have no queue yet.
        Ok(None) if account.state == AccountState::New => {}
        Ok(None) => report.trouble(
            State::Bad,
            format!("queue {queue}"),
            "is missing",
            "its owner declares it: is a worker running?",
        ),
        Err(error) => report.skipped(format!("queue {queue}"), error.to_string()),
    }
}

fn verdict(account: &AccountInfo) -> (State, Option<String>) {
    let login = || Some(format!("queuegram login {}", account.instance));
    match account.state {
        AccountState::Online => (State::Ok, None),
        AccountState::New => (State::Warning, login()),
        AccountState::LoggedOut => (State::Bad, login()),
        AccountState::Banned => (
            State::Bad,
            Some(String::from("Telegram has closed the account: https://telegram.org/support")),
        ),
        AccountState::Stopped => {
            (State::Warning, Some(format!("queuegram instance start {}", account.instance)))
        }
        AccountState::Failed => (State::Bad, Some(String::from("look at the worker's log"))),
        AccountState::Restricted => {
            (State::Warning, Some(String::from("ask @SpamBot what the account may not do")))
        }
        AccountState::Connecting if is_proxys(account) => (
            State::Bad,
            Some(format!(
                "mend its proxy, or: queuegram instance set {} --proxy …",
                account.instance
            )),
        ),
        _ => {
            (State::Warning, Some(String::from("wait; `queuegram listen --events` shows changes")))
        }
    }
}

/// Whether it is the account's proxy that keeps it from being connected.
fn is_proxys(account: &AccountInfo) -> bool {
    account.reason.as_deref().is_some_and(|reason| reason.starts_with("PROXY_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_broker_is_one_row_and_not_twenty() {
        let missing = |subject: &str| Finding {
            severity: Severity::Problem,
            subject: subject.to_owned(),
            what: String::from("is missing"),
            remedy: String::from("run `queuegram topology apply`"),
        };
        let other = Finding { what: String::from("is not durable"), ..missing("queue c") };
        let mut report = Report::default();
        tell(vec![missing("exchange a"), other, missing("queue b")], &mut report);
        let shown = anstream::adapter::strip_str(&report.words()).to_string();
        assert_eq!(
            shown,
            "✗  topology  is missing, 2 of them: exchange a, queue b\n\
             \u{20}    → run `queuegram topology apply`\n\
             ✗  queue c   is not durable\n\
             \u{20}    → run `queuegram topology apply`\n\
             2 checks failed"
        );
    }

    #[test]
    fn every_state_that_needs_something_has_a_hint() {
        for state in AccountState::ALL {
            let account = AccountInfo {
                instance: "acme".parse().unwrap(),
                label: None,
                tags: Vec::new(),
                notes: None,
                notify: None,
                state,
                reason: None,
                since: None,
                until: None,
                user_id: None,
                username: None,
                require_api_key: false,
                api_keys: Vec::new(),
                seal_key: None,
                identity: None,
                proxy: None,
                pauses: Vec::new(),
                created_at: chrono::DateTime::UNIX_EPOCH,
            };
            let (verdict, hint) = verdict(&account);
            assert_eq!(verdict == State::Ok, hint.is_none(), "{state:?}");
        }
    }
}
