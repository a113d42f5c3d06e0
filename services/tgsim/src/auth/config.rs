//! What clients ask about the server itself, before and after login.

use grammers_tl_types::{enums, functions as f, types};

use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::Reply;

requests! {
    #[anonymous] help::GetConfig => get_config {}
    #[anonymous] help::GetNearestDc => get_nearest_dc {}
    #[anonymous] help::GetAppConfig => get_app_config {}
}

/// After so many seconds a client asks for the configuration again.
const CONFIG_LIFE_S: i32 = 3600;
/// Changes when what `help.getAppConfig` says does.
const APP_CONFIG_HASH: i32 = 1;

fn get_config(cx: &mut Cx<'_>, _: f::help::GetConfig) -> Reply<enums::Config> {
    let limits = &cx.world.limits;
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let dc_options = cx.world.cluster.dcs.iter().map(|dc| {
        types::DcOption {
            ipv6: dc.address.is_ipv6(),
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: true,
            this_port_only: true,
            id: dc.id,
            ip_address: dc.address.ip().to_string(),
            port: i32::from(dc.address.port()),
            secret: None,
        }
        .into()
    });
    Ok(types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: cx.now,
        expires: cx.now + CONFIG_LIFE_S,
        test_mode: false,
        this_dc: cx.dc,
        dc_options: dc_options.collect(),
        // No such domain: a client must not look for Telegram's own servers.
        dc_txt_domain_name: "dc.invalid".to_owned(),
        chat_size_max: number(limits.chat_members),
        megagroup_size_max: number(limits.megagroup_members),
        forwarded_count_max: limits.forwarded,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1_024,
        message_length_max: number(limits.message_chars),
        webfile_dc_id: cx.dc,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
    .into())
}

fn get_nearest_dc(cx: &mut Cx<'_>, _: f::help::GetNearestDc) -> Reply<enums::NearestDc> {
    let nearest_dc = cx.world.cluster.first_dc();
    Ok(types::NearestDc { country: "US".to_owned(), this_dc: cx.dc, nearest_dc }.into())
}

/// The limits that clients look for there, <https://core.telegram.org/api/config#client-configuration>.
fn get_app_config(cx: &mut Cx<'_>, r: f::help::GetAppConfig) -> Reply<enums::help::AppConfig> {
    if r.hash == APP_CONFIG_HASH {
        return Ok(enums::help::AppConfig::NotModified);
    }
    let limits = &cx.world.limits;
    let entries = [
        ("channels_limit_default", limits.channels),
        ("channels_limit_premium", limits.channels_premium),
        ("channels_public_limit_default", limits.public_channels),
        ("channels_public_limit_premium", limits.public_channels_premium),
        ("about_length_limit_default", limits.about_chars),
        ("about_length_limit_premium", limits.about_chars_premium),
    ];
    let value = entries.into_iter().map(|(key, value)| {
        let value = types::JsonNumber { value: value as f64 }.into();
        types::JsonObjectValue { key: key.to_owned(), value }.into()
    });
    let config = types::JsonObject { value: value.collect() }.into();
    Ok(types::help::AppConfig { hash: APP_CONFIG_HASH, config }.into())
}
