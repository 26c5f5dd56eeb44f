//! What an address carries that says nothing of the page: how a reader came, and sessions.

/// Query parameters that say how a reader came, in lower case.
const TRACKING: &[&str] = &[
    // Clicks, as advertisers number them.
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "gad_source",
    "gad_campaignid",
    "srsltid",
    "msclkid",
    "yclid",
    "ysclid",
    "_openstat",
    "twclid",
    "ttclid",
    "li_fat_id",
    "epik",
    "irclickid",
    "rb_clickid",
    "wickedid",
    "dicbo",
    "tblci",
    "obclickid",
    "obclid",
    "outbrainclickid",
    "s_kwcid",
    "ef_id",
    // Sharing.
    "igshid",
    "igsh",
    "fb_action_ids",
    "fb_action_types",
    "fb_ref",
    "fb_source",
    "ref_src",
    "ref_url",
    "__twitter_impression",
    "soc_src",
    "soc_trk",
    "smid",
    "smtyp",
    "wprov",
    "share_id",
    "_branch_match_id",
    "_branch_referrer",
    // Newsletters.
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_hsenc",
    "_hsmi",
    "nr_email_referer",
    "_kx",
    "__s",
    "ml_subscriber",
    "ml_subscriber_hash",
    "sc_eh",
    "vgo_ee",
    "ck_subscriber_id",
    // Analytics and campaigns.
    "_ga",
    "_gl",
    "ocid",
    "cmp",
    "cmpid",
    "ncid",
    "icid",
    "itid",
    "intcmp",
    "int_cmp",
    "mbid",
    "ftag",
    "ito",
    "s_cid",
    "xtor",
    "xtref",
    "spm",
    "guccounter",
    "guce_referrer",
    "guce_referrer_sig",
    "usqp",
    "amp_js_v",
    "amp_gsa",
    // Sessions, whatever their value.
    "phpsessid",
    "jsessionid",
    "cftoken",
    "oscsid",
    "zenid",
];

/// How the names of whole families of them begin.
const TRACKING_FAMILIES: &[&str] = &[
    "utm_",
    "mtm_",
    "matomo_",
    "pk_",
    "piwik_",
    "itm_",
    "hsa_",
    "at_",
    "ns_",
    "wt_",
    "wt.",
    "vero_",
    "oly_",
    "__hs",
    "aspsessionid",
];

/// Parameters that are a session's where their value is one.
const SESSIONS: &[&str] = &["sid", "s", "sess", "session", "sessid", "session_id", "sessionid"];
/// Shortest value that is taken for a session's.
const MIN_SESSION_DIGITS: usize = 16;

/// Whether a `name=value` of a query says nothing of the page.
pub(super) fn is_noise(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = name.to_ascii_lowercase();
    // Of an ampersand that was escaped once too often.
    let name = name.strip_prefix("amp;").unwrap_or(&name);
    TRACKING.contains(&name)
        || TRACKING_FAMILIES.iter().any(|family| name.starts_with(family))
        || SESSIONS.contains(&name) && is_session(value)
}

/// A path without the sessions in it: `;jsessionid=…` at the end of a segment (Java), `/(S(…))` (ASP.NET).
pub(super) fn without_sessions(path: &str) -> Option<String> {
    let has_any = path.contains(';') || path.contains("/(");
    let kept =
        has_any.then(|| path.split('/').filter(|s| !is_session_segment(s)).map(without_session).collect());
    kept.map(|segments: Vec<String>| segments.join("/")).filter(|kept| kept != path)
}

fn without_session(segment: &str) -> String {
    let is_session = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "jsessionid" | "phpsessid")
    };
    let mut parts = segment.split(';');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.filter(|p| !is_session(p)).fold(first, |kept, parameter| kept + ";" + parameter)
}

fn is_session_segment(segment: &str) -> bool {
    let id = segment.strip_prefix("(S(").or_else(|| segment.strip_prefix("(s("));
    let id = id.and_then(|id| id.strip_suffix("))"));
    id.is_some_and(|id| id.len() == 24 && id.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_session(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= MIN_SESSION_DIGITS && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}
