//! Logging in, with all that can go wrong, and staying logged in.

use std::sync::Arc;

use serde_json::json;
use telegram::calls::{groups, myself};
use telegram::error::CallError;
use telegram::login::WhyAgain;
use telegram::session::MemorySink;
use telegram::{
    Account, Gate, Login, LoginCode, LoginError, LoginPassword, LoginProgress, Phone,
    SessionRecord, fault, verdict,
};

use crate::sim::Sim;

fn open(sim: &Sim) -> (Account, Arc<MemorySink>) {
    let sink = Arc::new(MemorySink::default());
    (sim.telegram().open(None, Vec::new(), sink.clone(), Gate::always()), sink)
}

#[tokio::test]
async fn a_saved_session_needs_no_second_login() {
    let sim = Sim::start().await;
    let (ann, logged) = sim.logged_in("+9996620001", "Ann").await;
    // "Done" means saved, without waiting for anything.
    let saved = logged.sink.saved().0.unwrap();
    assert!(saved.is_logged_in());
    logged.account.close().await.unwrap();

    let stored = SessionRecord::from_bytes(&saved.to_bytes()).unwrap();
    let again = sim.telegram().open(Some(stored), Vec::new(), logged.sink.clone(), Gate::always());
    let me = myself::me(&again).await.unwrap();
    assert_eq!((me.user.id.get(), me.user.first_name.as_str()), (ann.id, "Ann"));
    assert_eq!(sim.done("auth.signIn").await.len(), 1);
    again.close().await.unwrap();
    assert!(matches!(myself::me(&again).await, Err(CallError::Closed)));
    sim.stop().await;
}

#[tokio::test]
async fn a_wrong_code_may_be_corrected() {
    let sim = Sim::start().await;
    let ann = sim.plain("+9996620001", "Ann").await;
    let (account, _) = open(&sim);
    let mut login = Login::new(account);
    login.start(Phone::new("+99966 20001")).await.unwrap();
    let code = sim.code(&ann).await;
    let wrong: String = code.expose().chars().map(|c| if c == '1' { '2' } else { '1' }).collect();
    let progress = login.code(LoginCode::new(wrong)).await.unwrap();
    assert!(matches!(progress, LoginProgress::CodeNeeded { again: Some(WhyAgain::Wrong), .. }));
    assert!(matches!(login.code(code).await.unwrap(), LoginProgress::Done(_)));
    sim.stop().await;
}

#[tokio::test]
async fn an_account_with_a_password_asks_for_it() {
    let sim = Sim::start().await;
    let ann = sim.person("+9996620001", "Ann", json!({"password": "correct horse"})).await;
    let (account, sink) = open(&sim);
    let mut login = Login::new(account.clone());
    login.start(Phone::new("+9996620001")).await.unwrap();
    let progress = login.code(sim.code(&ann).await).await.unwrap();
    assert!(matches!(progress, LoginProgress::PasswordNeeded { again: None, .. }));
    assert!(sink.saved().0.is_none_or(|record| !record.is_logged_in()));
    let progress = login.password(LoginPassword::new("wrong horse")).await.unwrap();
    let wrong = Some(WhyAgain::Wrong);
    assert!(matches!(progress, LoginProgress::PasswordNeeded { again, .. } if again == wrong));
    let progress = login.password(LoginPassword::new("correct horse")).await.unwrap();
    assert!(matches!(progress, LoginProgress::Done(user) if user.id.get() == ann.id));
    assert_eq!(myself::me(&account).await.unwrap().user.id.get(), ann.id);
    sim.stop().await;
}

#[tokio::test]
async fn a_number_without_account_is_told_so() {
    let sim = Sim::start().await;
    let (account, _) = open(&sim);
    let mut login = Login::new(account);
    login.start(Phone::new("+9996620009")).await.unwrap();
    let code = sim.code_of_phone("9996620009").await;
    assert_eq!(login.code(code).await, Err(LoginError::NoAccount));
    assert!(matches!(login.start(Phone::new("no number")).await, Err(LoginError::PhoneInvalid)));
    sim.stop().await;
}

#[tokio::test]
async fn a_flood_wait_tells_how_long() {
    let sim = Sim::start().await;
    sim.plain("+9996620001", "Ann").await;
    let rule = json!({"match": {"request": "auth.sendCode"}, "times": 1, "then": {"flood": 77}});
    sim.script(rule).await;
    let (account, _) = open(&sim);
    let mut login = Login::new(account);
    let error = login.start(Phone::new("+9996620001")).await.unwrap_err();
    assert_eq!(fault::of_login(&error).retry_after_s, Some(77));
    assert!(login.is_over());
    // The same login may be begun anew.
    login.start(Phone::new("+9996620001")).await.unwrap();
    sim.stop().await;
}

#[tokio::test]
async fn an_account_of_another_data_centre_is_followed_there() {
    let sim = Sim::with(|options| options.dcs = 2).await;
    let ann = sim.person("+9996620001", "Ann", json!({"dc": 3})).await;
    let logged = sim.log_in(&ann).await;
    let record = logged.account.record();
    assert_eq!(record.home_dc, 3);
    groups::create_supergroup(&logged.account, "Far", "").await.unwrap();
    assert_eq!(sim.done("channels.createChannel").await.len(), 1);
    logged.account.close().await.unwrap();
    // It goes straight there next time.
    let again = sim.telegram().open(Some(record), Vec::new(), logged.sink.clone(), Gate::always());
    myself::me(&again).await.unwrap();
    sim.stop().await;
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_code_was_taken_still_logs_in() {
    let sim = Sim::start().await;
    let ann = sim.plain("+9996620001", "Ann").await;
    let (account, _) = open(&sim);
    let mut login = Login::new(account);
    login.start(Phone::new("+9996620001")).await.unwrap();
    let cut = json!({"match": {"request": "auth.signIn"}, "times": 1, "then": {"cut": "after"}});
    sim.script(cut).await;
    let progress = login.code(sim.code(&ann).await).await.unwrap();
    assert!(matches!(progress, LoginProgress::Done(user) if user.id.get() == ann.id));
    sim.stop().await;
}

#[tokio::test]
async fn a_cancelled_code_is_worth_nothing() {
    let sim = Sim::start().await;
    let ann = sim.plain("+9996620001", "Ann").await;
    let (account, _) = open(&sim);
    let mut login = Login::new(account);
    login.start(Phone::new("+9996620001")).await.unwrap();
    let code = sim.code(&ann).await;
    login.cancel().await;
    assert_eq!(sim.done("auth.cancelCode").await.len(), 1);
    assert!(matches!(login.code(code).await, Err(LoginError::NotExpected(_))));
    sim.stop().await;
}

#[tokio::test]
async fn a_login_that_was_ended_is_told_apart_from_any_other_trouble() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    myself::log_out(&logged.account).await.unwrap();
    let error = myself::me(&logged.account).await.unwrap_err();
    assert_eq!(verdict::verdict(&error).reason, "AUTH_KEY_UNREGISTERED", "{error}");
    let (ben, logged) = sim.logged_in("+9996620002", "Ben").await;
    let rule = json!({"match": {"user_id": ben.id}, "times": 1, "then": {"log_out": true}});
    sim.script(rule).await;
    let error = myself::me(&logged.account).await.unwrap_err();
    assert_eq!(verdict::verdict(&error).reason, "SESSION_REVOKED", "{error}");
    sim.stop().await;
}

#[tokio::test]
async fn a_login_is_taken_along_where_telegram_moves_the_account() {
    let sim = Sim::with(|options| options.dcs = 2).await;
    let (ann, logged) = sim.logged_in("+9996620001", "Ann").await;
    let account = &logged.account;
    let home = account.record().home_dc;
    let to = home + 1;
    let rule = json!({"match": {"user_id": ann.id}, "then": {"migrate_dc": to}});
    sim.script(rule).await;
    // The request that was told so is executed at the new home, once.
    groups::create_supergroup(account, "Moved", "").await.unwrap();
    assert_eq!(sim.done("channels.createChannel").await.len(), 1);
    assert_eq!(account.record().home_dc, to);
    // Two calls at the same time are at home there, and so is the account when it is opened again.
    let both = tokio::join!(myself::me(account), myself::me(account));
    assert!(both.0.is_ok() && both.1.is_ok());
    let record = account.record();
    logged.account.close().await.unwrap();
    let again = sim.telegram().open(Some(record), Vec::new(), logged.sink.clone(), Gate::always());
    assert_eq!(myself::me(&again).await.unwrap().user.id.get(), ann.id);
    assert_eq!(sim.done("auth.signIn").await.len(), 1);
    sim.stop().await;
}
