//! Members of a request, checked as they are taken out. What a member must be is Inspector's; which
//! exception code tells that it is not is named at each call.

use serde_json::{Map, Value as Json};

use super::fault::{self, Fault, Result};
use super::packages;
use crate::assess::store::{Kind, Millis, Page, Pair};

/// The longest ARN and token.
const LONGEST_ARN: usize = 300;
/// The longest name.
const LONGEST_NAME: usize = 140;
/// The longest key of a tag or an attribute.
const LONGEST_KEY: usize = 128;
/// The longest value of a tag or an attribute.
const LONGEST_VALUE: usize = 256;
/// The least and the most seconds that a run may take.
pub(super) const DURATION: std::ops::RangeInclusive<i64> = 180..=86_400;
/// How long a page is where nobody says.
const DEFAULT_PAGE: usize = 10;
/// How long a page may be. Scripts ask for more and take what they get.
const LONGEST_PAGE: usize = 500;
/// The most that scripts are known to ask for; what asks for more is a mistake.
const MOST_ASKED: i64 = 999;

/// The members of a request or of a structure in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a Map<String, Json>);

/// How a list of keys with values is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairRules {
    /// The code of the list's length.
    pub(super) number: &'static str,
    /// The code of an item that has no members.
    item: &'static str,
    /// The code of a key.
    pub(super) key: &'static str,
    /// The code of a value.
    value: &'static str,
    /// Whether a key may come again with another value, as one of several that are looked for.
    several: bool,
}

/// User attributes.
pub(super) const USER_ATTRIBUTES: PairRules = PairRules {
    number: "INVALID_NUMBER_OF_USER_ATTRIBUTES",
    item: "INVALID_USER_ATTRIBUTE",
    key: "INVALID_USER_ATTRIBUTE_KEY",
    value: "INVALID_USER_ATTRIBUTE_VALUE",
    several: false,
};
/// User attributes that findings are looked for by.
pub(super) const WANTED_USER_ATTRIBUTES: PairRules = PairRules { several: true, ..USER_ATTRIBUTES };
/// Attributes that findings are looked for by.
pub(super) const WANTED_ATTRIBUTES: PairRules = PairRules {
    number: "INVALID_NUMBER_OF_ATTRIBUTES",
    item: "INVALID_ATTRIBUTE",
    key: "INVALID_ATTRIBUTE",
    value: "INVALID_ATTRIBUTE",
    several: true,
};
/// Tags of a template.
pub(super) const TAGS: PairRules = PairRules {
    number: "INVALID_NUMBER_OF_TAGS",
    item: "INVALID_TAG",
    key: "INVALID_TAG_KEY",
    value: "INVALID_TAG_VALUE",
    several: false,
};
/// Tags of a resource group: what has any of them belongs to it.
pub(super) const GROUP_TAGS: PairRules = PairRules {
    number: "INVALID_NUMBER_OF_RESOURCE_GROUP_TAGS",
    item: "INVALID_RESOURCE_GROUP_TAG_KEY",
    key: "INVALID_RESOURCE_GROUP_TAG_KEY",
    value: "INVALID_RESOURCE_GROUP_TAG_VALUE",
    several: true,
};

impl<'a> Input<'a> {
    fn get(self, name: &str) -> Option<&'a Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text of 1 to `longest` characters.
    pub(super) fn text(self, name: &str, longest: usize, code: &str) -> Result<Option<&'a str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_str() {
            Some(text) if (1..=longest).contains(&text.chars().count()) => Ok(Some(text)),
            _ => Err(Fault::invalid(
                code,
                format!("{name} must be a text of 1 to {longest} characters."),
            )),
        }
    }

    /// A name.
    pub(super) fn name(self, name: &str, code: &str) -> Result<Option<&'a str>> {
        self.text(name, LONGEST_NAME, code)
    }

    /// An ARN of this kind.
    pub(super) fn optional_arn(self, name: &str, kind: Kind) -> Result<Option<&'a str>> {
        let code = fault::invalid_arn(kind);
        match self.text(name, LONGEST_ARN, code)? {
            Some(arn) if Kind::of(arn) != Some(kind) => {
                Err(Fault::invalid(code, format!("{name} is not the ARN of a {}.", kind.words())))
            }
            arn => Ok(arn),
        }
    }

    /// An ARN of this kind, which must be there.
    pub(super) fn arn(self, name: &str, kind: Kind) -> Result<&'a str> {
        let arn = self.optional_arn(name, kind)?;
        arn.ok_or_else(|| required(name, fault::invalid_arn(kind)))
    }

    /// The ARN of a template, where Inspector takes any resource and knows only templates.
    pub(super) fn resource(self, name: &str) -> Result<Option<&'a str>> {
        const CODE: &str = "INVALID_RESOURCE_ARN";
        match self.text(name, LONGEST_ARN, CODE)? {
            Some(arn) if Kind::of(arn) != Some(Kind::Template) => Err(Fault::invalid(
                CODE,
                format!("{name} is not the ARN of an assessment template."),
            )),
            arn => Ok(arn),
        }
    }

    /// A list with a length in this range, each item a text; none where it is not there.
    pub(super) fn texts(
        self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
        number: &str,
        item: &str,
        longest: usize,
    ) -> Result<Option<Vec<String>>> {
        let Some(list) = self.list(name, length, number)? else { return Ok(None) };
        let good = |value: &'a Json| {
            value.as_str().filter(|text| (1..=longest).contains(&text.chars().count()))
        };
        list.iter()
            .map(|value| good(value).map(str::to_owned))
            .collect::<Option<_>>()
            .map(Some)
            .ok_or_else(|| {
                Fault::invalid(
                    item,
                    format!("{name} must hold texts of 1 to {longest} characters."),
                )
            })
    }

    /// A list with a length in this range.
    pub(super) fn list(
        self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
        code: &str,
    ) -> Result<Option<&'a [Json]>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_array() {
            Some(list) if length.contains(&list.len()) => Ok(Some(list)),
            _ => Err(Fault::invalid(
                code,
                format!("{name} must be a list of {} to {}.", length.start(), length.end()),
            )),
        }
    }

    /// ARNs to describe: as they were given, since each that names nothing is answered for itself.
    pub(super) fn described(
        self,
        name: &str,
        kind: Kind,
        most: usize,
        number: &str,
    ) -> Result<Vec<String>> {
        self.texts(name, 1..=most, number, fault::invalid_arn(kind), LONGEST_ARN)?
            .ok_or_else(|| required(name, number))
    }

    /// ARNs of one kind that narrow a list.
    pub(super) fn parents(self, name: &str, kind: Kind, number: &str) -> Result<Vec<String>> {
        let code = fault::invalid_arn(kind);
        let arns = self.texts(name, 0..=50, number, code, LONGEST_ARN)?.unwrap_or_default();
        match arns.iter().find(|arn| Kind::of(arn) != Some(kind)) {
            Some(arn) => {
                Err(Fault::invalid(code, format!("{arn} is not the ARN of a {}.", kind.words())))
            }
            None => Ok(arns),
        }
    }

    /// ARNs of rules packages, those of other regions as those of this one.
    pub(super) fn packages(self, name: &str) -> Result<Option<Vec<String>>> {
        let Some(arns) = self.texts(
            name,
            0..=50,
            "INVALID_NUMBER_OF_RULES_PACKAGE_ARNS",
            "INVALID_RULES_PACKAGE_ARN",
            LONGEST_ARN,
        )?
        else {
            return Ok(None);
        };
        let mut known: Vec<String> = Vec::new();
        for arn in arns {
            if Kind::of(&arn) != Some(Kind::RulesPackage) {
                let message = format!("{arn} is not the ARN of a rules package.");
                return Err(Fault::invalid("INVALID_RULES_PACKAGE_ARN", message));
            }
            let Some(package) = packages::find(&arn) else {
                let message = format!("there is no rules package {arn}");
                return Err(Fault::missing("RULES_PACKAGE_DOES_NOT_EXIST", message));
            };
            if !known.iter().any(|other| other == package.arn) {
                known.push(package.arn.to_owned());
            }
        }
        Ok(Some(known))
    }

    /// A list of keys with values.
    pub(super) fn pairs(
        self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
        rules: PairRules,
    ) -> Result<Option<Vec<Pair>>> {
        let Some(list) = self.list(name, length, rules.number)? else { return Ok(None) };
        let mut pairs: Vec<Pair> = Vec::with_capacity(list.len());
        for item in list {
            let members = item.as_object().map(Input).ok_or_else(|| {
                Fault::invalid(rules.item, format!("{name} must hold keys with values."))
            })?;
            let key = members
                .text("key", LONGEST_KEY, rules.key)?
                .ok_or_else(|| required("key", rules.key))?;
            let value = members.text("value", LONGEST_VALUE, rules.value)?;
            let again =
                |(other, with): &Pair| other == key && (!rules.several || with.as_deref() == value);
            if pairs.iter().any(again) {
                return Err(Fault::invalid(
                    rules.key,
                    format!("{name} has the key {key:?} twice."),
                ));
            }
            pairs.push((key.to_owned(), value.map(str::to_owned)));
        }
        Ok(Some(pairs))
    }

    /// A structure.
    pub(super) fn structure(self, name: &str, code: &str) -> Result<Option<Input<'a>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_object() {
            Some(members) => Ok(Some(Input(members))),
            None => Err(Fault::invalid(code, format!("{name} must be a structure."))),
        }
    }

    /// A number of seconds that a run may take.
    pub(super) fn seconds(self, name: &str, code: &str) -> Result<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_i64() {
            Some(seconds) if DURATION.contains(&seconds) => Ok(Some(seconds)),
            _ => Err(Fault::invalid(
                code,
                format!("{name} must be {} to {} seconds.", DURATION.start(), DURATION.end()),
            )),
        }
    }

    /// A range of durations.
    pub(super) fn durations(self, name: &str, code: &str) -> Result<(Option<i64>, Option<i64>)> {
        let Some(range) = self.structure(name, code)? else { return Ok((None, None)) };
        let range = (range.seconds("minSeconds", code)?, range.seconds("maxSeconds", code)?);
        in_order(name, range, code)
    }

    /// A range of times.
    pub(super) fn times(self, name: &str, code: &str) -> Result<(Option<Millis>, Option<Millis>)> {
        let Some(range) = self.structure(name, code)? else { return Ok((None, None)) };
        // The first moment that is not before, and the last that is not after.
        let begin = range.time("beginDate", code)?.map(f64::ceil).map(millis);
        let end = range.time("endDate", code)?.map(f64::floor).map(millis);
        in_order(name, (begin, end), code)
    }

    fn time(self, name: &str, code: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_f64() {
            Some(seconds) if seconds.abs() < 1e12 => Ok(Some(seconds * 1000.0)),
            _ => Err(Fault::invalid(code, format!("{name} must be seconds since 1970."))),
        }
    }

    /// The words of a list, each of which `parse` must know.
    pub(super) fn words<T>(
        self,
        name: &str,
        most: usize,
        code: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>> {
        let list = self.list(name, 0..=most, code)?.unwrap_or_default();
        list.iter()
            .map(|value| {
                value.as_str().and_then(&parse).ok_or_else(|| {
                    Fault::invalid(code, format!("{value} is not one of the words of {name}."))
                })
            })
            .collect()
    }

    /// The word of a member, which `parse` must know.
    pub(super) fn word<T>(
        self,
        name: &str,
        code: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_str().and_then(parse) {
            Some(word) => Ok(Some(word)),
            None => {
                Err(Fault::invalid(code, format!("{value} is not one of the words of {name}.")))
            }
        }
    }

    /// Inspector speaks English only.
    pub(super) fn locale(self) -> Result<()> {
        let english = |word: &str| (word == "EN_US").then_some(());
        self.word("locale", "INVALID_LOCALE", english).map(|_| ())
    }

    /// The length of the page that is asked for.
    pub(super) fn max_results(self, default: usize) -> Result<usize> {
        let Some(value) = self.get("maxResults") else { return Ok(default) };
        match value.as_i64() {
            Some(count) if (1..=MOST_ASKED).contains(&count) => {
                Ok(usize::try_from(count).unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE))
            }
            _ => Err(Fault::invalid("INVALID_MAX_RESULTS", "maxResults must be 1 to 500.")),
        }
    }

    /// The page that is asked for; `after` reads the token.
    pub(super) fn page(self, after: impl Fn(&str) -> Option<i64>) -> Result<Page> {
        let limit = self.max_results(DEFAULT_PAGE)?;
        const CODE: &str = "INVALID_PAGINATION_TOKEN";
        match self.text("nextToken", LONGEST_ARN, CODE)? {
            None => Ok(Page::first(limit)),
            Some(token) => match after(token) {
                Some(after) => Ok(Page { after, limit }),
                None => Err(Fault::invalid(CODE, "nextToken is not one that this list gave.")),
            },
        }
    }
}

/// A member that must be there is not.
pub(super) fn required(name: &str, code: &str) -> Fault {
    Fault::invalid(code, format!("{name} is required."))
}

fn in_order<T: PartialOrd>(
    name: &str,
    range: (Option<T>, Option<T>),
    code: &str,
) -> Result<(Option<T>, Option<T>)> {
    match &range {
        (Some(least), Some(most)) if least > most => {
            Err(Fault::invalid(code, format!("{name} ends before it begins.")))
        }
        _ => Ok(range),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn millis(milliseconds: f64) -> Millis {
    Millis(milliseconds as i64)
}
