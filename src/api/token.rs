//! Page tokens: the last row that was shown, bound to the list and its filters, and signed with the
//! store's key, so that they are good after a restart and no other text is.

use serde_json::{Map, Value as Json};

const MAC: usize = 16;

/// What a list was asked for beside the page.
fn question(operation: &str, input: &Map<String, Json>) -> Vec<u8> {
    let mut asked: Vec<(&String, &Json)> = input
        .iter()
        .filter(|(name, value)| {
            !matches!(name.as_str(), "nextToken" | "maxResults") && !value.is_null()
        })
        .collect();
    asked.sort_by_key(|(name, _)| *name);
    let mut bytes = operation.as_bytes().to_vec();
    for (name, value) in asked {
        bytes.extend(format!("\0{name}\0{value}").into_bytes());
    }
    bytes
}

fn mac(key: &[u8; 32], question: &[u8], after: i64) -> [u8; MAC] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&after.to_be_bytes()).update(question);
    let mut out = [0; MAC];
    hasher.finalize_xof().fill(&mut out);
    out
}

/// The token for the page after this row.
pub(super) fn make(
    key: &[u8; 32],
    operation: &str,
    input: &Map<String, Json>,
    after: i64,
) -> String {
    let mac = mac(key, &question(operation, input), after);
    after.to_be_bytes().iter().chain(&mac).map(|byte| format!("{byte:02x}")).collect()
}

/// The row of a token, if this list gave it.
pub(super) fn read(
    key: &[u8; 32],
    operation: &str,
    input: &Map<String, Json>,
    token: &str,
) -> Option<i64> {
    let number = token.get(..16)?;
    let after = i64::from_str_radix(number, 16).ok()?;
    (make(key, operation, input, after) == token).then_some(after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{make, read};

    #[test]
    fn a_token_is_good_for_its_list_only() {
        let key = [7; 32];
        let asked = |value: serde_json::Value| value.as_object().unwrap().clone();
        let first = asked(json!({"filter": {"a": 1}, "maxResults": 10}));
        let token = make(&key, "ListFindings", &first, 1234);
        let next = asked(json!({"maxResults": 500, "filter": {"a": 1}, "nextToken": token}));
        assert_eq!(read(&key, "ListFindings", &next, &token), Some(1234));
        assert_eq!(read(&[8; 32], "ListFindings", &next, &token), None);
        assert_eq!(read(&key, "ListExclusions", &next, &token), None);
        assert_eq!(read(&key, "ListFindings", &asked(json!({})), &token), None);
        for bad in ["", "zz", &token[1..], &format!("{token}0"), &"é".repeat(20)] {
            assert_eq!(read(&key, "ListFindings", &next, bad), None, "{bad}");
        }
    }
}
