//! `topology`: what must exist on the broker, applied or printed.

use bus::{BrokerVersion, Management, Topology};
use clap::{Args, Subcommand};
use proto::Names;
use serde_json::json;

use crate::{
    exit::{Done, Failure},
    screen::{FAINT, GOOD, Screen, paint},
    settings::Settings,
    table::table,
};

/// Arguments of `topology`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Applying needs RabbitMQ's management API (QUEUEGRAM_AMQP__MANAGEMENT_URL) and a user with the tag
policymaker; granting needs an administrator. It can be repeated: what is there already is left alone.

Examples:
  queuegram topology apply
  queuegram topology apply --grant worker=qg-worker --grant caller=camunda
  queuegram topology --print      rabbitmqadmin and rabbitmqctl lines instead, permissions included"
)]
pub struct TopologyArgs {
    #[command(subcommand)]
    action: Option<TopologyAction>,
    /// Print the lines for rabbitmqadmin and rabbitmqctl instead of applying anything.
    #[arg(long, global = true)]
    print: bool,
}

/// What to do with the topology.
#[derive(Debug, Subcommand)]
pub enum TopologyAction {
    /// Make exchanges, queues, bindings and policies.
    Apply {
        /// Give an existing user a role's permissions: worker, ctl or caller.
        #[arg(long, value_name = "ROLE=USER")]
        grant: Vec<String>,
    },
}

/// Applies or prints.
pub async fn run(args: TopologyArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let names = names(settings)?;
    if args.print {
        return print(settings, &names, screen).await;
    }
    let Some(TopologyAction::Apply { grant }) = args.action else {
        return Err(Failure::Usage(String::from("either apply or --print")));
    };
    let management = Management::new(&settings.amqp)?;
    let topology =
        Topology::describe(&names, settings.amqp.queue_kind, management.version().await?);
    let grants = grant.iter().map(|text| role(&topology, text)).collect::<Result<Vec<_>, _>>()?;
    let mut changes = topology.apply(&management).await?;
    for (role, user) in grants {
        topology.grant(&management, role, user).await?;
        let subject = format!("permissions of {user} as {}", role.name);
        changes.push(bus::Change { subject, created: true });
    }
    let rows: Vec<_> =
        changes.iter().map(|c| json!({ "subject": c.subject, "created": c.created })).collect();
    screen.put(&json!({ "vhost": management.vhost(), "changes": rows }), || {
        let rows = changes.iter().map(|change| {
            let word = if change.created { paint(GOOD, "set") } else { paint(FAINT, "there") };
            vec![word, change.subject.clone()]
        });
        format!("{}\nvhost {} is ready", table(&[], rows), management.vhost())
    });
    Ok(Done::Success)
}

async fn print(settings: &Settings, names: &Names, screen: Screen) -> Result<Done, Failure> {
    let management = Management::new(&settings.amqp)?;
    // Printing must also work where the management API is not ours to use.
    let version = management.version().await.unwrap_or(BrokerVersion::OLDEST);
    let topology = Topology::describe(names, settings.amqp.queue_kind, version);
    let lines = topology.print(management.vhost());
    screen.put(&lines, || lines.join("\n"));
    Ok(Done::Success)
}

fn role<'a>(topology: &'a Topology, text: &'a str) -> Result<(&'a bus::Role, &'a str), Failure> {
    let known: Vec<&str> = topology.roles.iter().map(|role| role.name).collect();
    let split = text.split_once('=').filter(|(_, user)| !user.is_empty());
    split
        .and_then(|(name, user)| {
            Some((topology.roles.iter().find(|role| role.name == name)?, user))
        })
        .ok_or_else(|| {
            let known = known.join(", ");
            Failure::Usage(format!("--grant {text}: must be ROLE=USER, with a role of {known}"))
        })
}

/// The names under the configured prefix.
pub fn names(settings: &Settings) -> Result<Names, Failure> {
    Names::new(&settings.amqp.prefix).map_err(|why| {
        Failure::Bus(bus::BusError::Config { field: "prefix", why: why.to_string() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_granted_by_name() {
        let names = Names::default();
        let topology = Topology::describe(&names, bus::QueueKind::Quorum, BrokerVersion::OLDEST);
        let (found, user) = role(&topology, "caller=camunda").unwrap();
        assert_eq!((found.name, user), ("caller", "camunda"));
        for wrong in ["caller", "caller=", "admin=x"] {
            assert!(role(&topology, wrong).is_err(), "{wrong}");
        }
    }
}
