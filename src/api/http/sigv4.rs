//! Signature Version 4, as AWS documents it, verified: who signed a request, when, and that nothing
//! of it was changed. What can be known without the body is checked before the body is read.

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use ring::{digest, hmac};

use super::credentials::Credential;
use crate::api::fault::{Fault, Result};
use crate::assess::store::Millis;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// The name that requests to Inspector are signed for.
const SERVICE: &str = "inspector";
/// How far the clocks of client and server may be apart, milliseconds.
const SKEW: i64 = 5 * 60 * 1000;
/// Headers that a request is nothing without, so that they must be signed.
const SIGNED: [&str; 3] = ["host", "x-amz-date", "x-amz-target"];

/// What a request says of its signature, plausible so far.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    credential: &'a Credential,
    date: String,
    stamp: String,
    region: String,
    signed: Vec<String>,
    signature: Vec<u8>,
}

fn incomplete(message: impl Into<String>) -> Fault {
    Fault::protocol("IncompleteSignatureException", 400, message)
}

/// One answer to a wrong key and to a wrong signature, so that keys cannot be tried out.
fn refused() -> Fault {
    Fault::protocol(
        "UnrecognizedClientException",
        403,
        "The request is not signed with a key that this server knows. Use the credentials in its \
         data directory.",
    )
}

/// The text of a header that is there once.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect()
}

/// The moment of an `X-Amz-Date`, for example `20160322T205821Z`.
fn moment(stamp: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    let at = jiff::tz::Offset::UTC.to_timestamp(time).ok()?;
    (stamp.len() == 16).then(|| at.as_millisecond())
}

/// Reads what a request says of its signature, and refuses what cannot be right whatever the body.
pub(super) fn claim<'a>(
    credentials: &'a [Credential],
    headers: &HeaderMap,
    now: Millis,
) -> Result<Claim<'a>> {
    let Some(authorization) = text(headers, AUTHORIZATION.as_str()) else {
        return Err(Fault::protocol(
            "MissingAuthenticationTokenException",
            403,
            "The request is not signed. Use the credentials in the server's data directory.",
        ));
    };
    let bad = || incomplete("The Authorization header is not one of Signature Version 4.");
    let members = authorization.strip_prefix(ALGORITHM).ok_or_else(bad)?;
    let (mut scope, mut signed, mut signature) = (None, None, None);
    for member in members.split(',') {
        match member.trim().split_once('=') {
            Some(("Credential", value)) => scope = Some(value),
            Some(("SignedHeaders", value)) => signed = Some(value),
            Some(("Signature", value)) => signature = unhex(value),
            _ => return Err(bad()),
        }
    }
    let (Some(scope), Some(signed), Some(signature)) = (scope, signed, signature) else {
        return Err(bad());
    };
    let signed: Vec<String> = signed.split(';').map(str::to_owned).collect();
    if let Some(name) = SIGNED.iter().find(|name| !signed.iter().any(|other| other == *name)) {
        return Err(incomplete(format!("The header {name} must be there and be signed.")));
    }
    let parts: Vec<&str> = scope.split('/').collect();
    let [key, date, region, service, end] = parts.as_slice() else { return Err(bad()) };
    if *service != SERVICE || *end != TERMINATOR {
        return Err(incomplete(format!("The request must be signed for {SERVICE}.")));
    }
    let stamp = text(headers, "x-amz-date").ok_or_else(bad)?;
    let at = moment(stamp).filter(|_| stamp.starts_with(date)).ok_or_else(bad)?;
    if at.abs_diff(now.0) > SKEW.unsigned_abs() {
        return Err(Fault::protocol(
            "InvalidSignatureException",
            403,
            "Signature expired: the clocks of client and server are more than 5 minutes apart, or \
             the request is an old one.",
        ));
    }
    let credential = credentials.iter().find(|known| known.id == *key).ok_or_else(refused)?;
    Ok(Claim {
        credential,
        date: (*date).to_owned(),
        stamp: stamp.to_owned(),
        region: (*region).to_owned(),
        signed,
        signature,
    })
}

impl Claim<'_> {
    /// Whether the request is what was signed.
    pub(super) fn verify(&self, request: &Parts, body: &[u8]) -> Result<()> {
        let canonical = canonical(request, &self.signed, body).ok_or_else(refused)?;
        let scope = format!("{}/{}/{SERVICE}/{TERMINATOR}", self.date, self.region);
        let text = string_to_sign(&self.stamp, &scope, &canonical);
        let key = signing_key(self.credential.secret(), &self.date, &self.region, SERVICE);
        hmac::verify(&key, text.as_bytes(), &self.signature).map_err(|_| refused())
    }
}

/// The request in the form that is signed; none where a header that is signed is not there.
fn canonical(request: &Parts, signed: &[String], body: &[u8]) -> Option<String> {
    let mut out = format!("{}\n{}\n", request.method, request.uri.path());
    let mut parameters: Vec<String> = request
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| match parameter.contains('=') {
            true => parameter.to_owned(),
            false => format!("{parameter}="),
        })
        .collect();
    parameters.sort();
    out.push_str(&parameters.join("&"));
    out.push('\n');
    for name in signed {
        let name: HeaderName = name.parse().ok()?;
        let values: Option<Vec<String>> = request
            .headers
            .get_all(&name)
            .iter()
            .map(|value| value.to_str().ok().map(collapse))
            .collect();
        let values = values.filter(|values| !values.is_empty())?;
        out.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let hash = digest::digest(&digest::SHA256, body);
    out.push_str(&format!("\n{}\n{}", signed.join(";"), hex(hash.as_ref())));
    Some(out)
}

/// A header's value without the spaces that do not count.
fn collapse(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn string_to_sign(stamp: &str, scope: &str, canonical: &str) -> String {
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(hash.as_ref()))
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut key = format!("AWS4{secret}").into_bytes();
    for word in [date, region, service, TERMINATOR] {
        let step = hmac::Key::new(hmac::HMAC_SHA256, &key);
        key = hmac::sign(&step, word.as_bytes()).as_ref().to_vec();
    }
    hmac::Key::new(hmac::HMAC_SHA256, &key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of AWS's documentation of Signature Version 4.
    #[test]
    fn the_documented_example_has_its_signature() {
        let (request, ()) =
            hyper::Request::get("https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers")
                .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
                .header("host", "iam.amazonaws.com")
                .header("x-amz-date", "20150830T123600Z")
                .body(())
                .unwrap()
                .into_parts();
        let signed = ["content-type", "host", "x-amz-date"].map(str::to_owned);
        let canonical = canonical(&request, &signed, b"").unwrap();
        let scope = "20150830/us-east-1/iam/aws4_request";
        let text = string_to_sign("20150830T123600Z", scope, &canonical);
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let key = signing_key(secret, "20150830", "us-east-1", "iam");
        assert_eq!(
            hex(hmac::sign(&key, text.as_bytes()).as_ref()),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn a_moment_is_read_or_refused() {
        assert_eq!(moment("20160322T205821Z"), Some(1_458_680_301_000));
        for bad in ["", "20160322T205821", "2016-03-22T20:58:21Z", "20161322T205821Z", "é"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
        assert_eq!(unhex("0aFf"), Some(vec![10, 255]));
        assert_eq!(unhex("0aF"), None);
        assert_eq!(unhex("zz"), None);
    }
}
