//! What definitions refer to: tests of installed packages, with the names and versions they ask for.

use std::collections::HashMap;

use super::super::error::{FeedError, quote};
use super::super::source::Document;
use super::super::xml::{Element, Xml};

/// What may be kept of one file, in bytes of text. The largest real ones have a fifth of it.
const MAX_KEPT: usize = 512 << 20;

/// Tests, objects, states and variables by their ids.
#[derive(Default)]
pub(super) struct Parts {
    /// None: of something else than packages.
    tests: HashMap<String, Option<Test>>,
    objects: HashMap<String, Object>,
    states: HashMap<String, State>,
    variables: HashMap<String, Vec<String>>,
    kept: usize,
}

/// A test of `rpminfo` or `dpkginfo` that holds where a package is there and all its states fit.
struct Test {
    object: String,
    states: Vec<String>,
}

enum Object {
    Name(String),
    Variable(String),
    /// Described in a way that is not known here.
    Other,
}

/// What must hold of an installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Operation and version.
    pub(super) evr: Option<(String, String)>,
    /// Any of these; none: every one.
    pub(super) arches: Option<Vec<String>>,
    /// The key that it is signed with.
    pub(super) key: bool,
    /// Something that is not known here.
    pub(super) other: bool,
}

/// A test of packages, with all that it refers to.
pub(super) struct PackageTest<'a> {
    pub(super) names: &'a [String],
    pub(super) state: State,
}

impl Parts {
    /// Reads them from a document and passes over all else.
    pub(super) fn read(document: &mut Document<'_>) -> Result<Self, FeedError> {
        let mut parts = Self::default();
        let mut xml = Xml::root(document, "oval_definitions")?;
        while let Some(section) = xml.next()? {
            let take = match section.name.as_str() {
                "tests" => Self::test,
                "objects" => Self::object,
                "states" => Self::state,
                "variables" => Self::variable,
                _ => {
                    xml.skip()?;
                    continue;
                }
            };
            while let Some(part) = xml.next()? {
                let part = xml.tree(part)?;
                let id = part.attribute("id");
                if id.is_empty() {
                    return Err(FeedError::malformed(format!(
                        "a part of {} has no id",
                        section.name
                    )));
                }
                parts.kept += id.len();
                take(&mut parts, id.to_owned(), &part);
                if parts.kept > MAX_KEPT {
                    let problem = format!("its tests have more than {} MiB", MAX_KEPT >> 20);
                    return Err(FeedError::TooLarge(problem));
                }
            }
        }
        Ok(parts)
    }

    /// The test of packages with this id. `None` where it is of something else.
    pub(super) fn package_test(&self, id: &str) -> Result<Option<PackageTest<'_>>, FeedError> {
        let Some(test) = found(&self.tests, id)? else { return Ok(None) };
        let names = match found(&self.objects, &test.object)? {
            Object::Name(name) => std::slice::from_ref(name),
            Object::Variable(variable) => found(&self.variables, variable)?,
            Object::Other => return Ok(None),
        };
        let mut state = State::default();
        for id in &test.states {
            let one = found(&self.states, id)?;
            let both = state.evr.is_some() && one.evr.is_some();
            state.other |= one.other || both || (state.arches.is_some() && one.arches.is_some());
            state.evr = state.evr.or_else(|| one.evr.clone());
            state.arches = state.arches.or_else(|| one.arches.clone());
            state.key |= one.key;
        }
        Ok(Some(PackageTest { names, state }))
    }

    fn test(&mut self, id: String, test: &Element) {
        let existence = test.attribute("check_existence");
        let holds_where_one_is = matches!(test.name.as_str(), "rpminfo_test" | "dpkginfo_test")
            && matches!(test.attribute("check"), "" | "at least one" | "all")
            && matches!(existence, "" | "at_least_one_exists" | "only_one_exists")
            && matches!(test.attribute("state_operator"), "" | "AND");
        let Some(object) = test.child("object").filter(|_| holds_where_one_is) else {
            self.tests.insert(id, None);
            return;
        };
        let object = object.attribute("object_ref").to_owned();
        let states: Vec<String> =
            test.each("state").map(|state| state.attribute("state_ref").to_owned()).collect();
        self.kept += object.len() + states.iter().map(String::len).sum::<usize>();
        self.tests.insert(id, Some(Test { object, states }));
    }

    fn object(&mut self, id: String, object: &Element) {
        let exact = |name: &&Element| matches!(name.attribute("operation"), "" | "equals");
        let Some(name) = object.child("name").filter(exact) else {
            self.objects.insert(id, Object::Other);
            return;
        };
        let variable = name.attribute("var_ref");
        let object = if variable.is_empty() {
            Object::Name(name.text.clone())
        } else {
            Object::Variable(variable.to_owned())
        };
        self.kept += name.text.len() + variable.len();
        self.objects.insert(id, object);
    }

    fn state(&mut self, id: String, element: &Element) {
        let mut state = State { other: element.attribute("operator") == "OR", ..State::default() };
        for child in &element.children {
            self.kept += child.text.len();
            match child.name.as_str() {
                "evr" => {
                    let operation = match child.attribute("operation") {
                        "" => "equals",
                        operation => operation,
                    };
                    state.evr = Some((operation.to_owned(), child.text.clone()));
                }
                "arch" => match arches(child) {
                    Some(arches) => state.arches = Some(arches),
                    None => state.other = true,
                },
                "signature_keyid" => state.key = true,
                _ => state.other = true,
            }
        }
        self.states.insert(id, state);
    }

    fn variable(&mut self, id: String, variable: &Element) {
        let values: Vec<String> = variable.each("value").map(|value| value.text.clone()).collect();
        self.kept += values.iter().map(String::len).sum::<usize>();
        self.variables.insert(id, values);
    }
}

/// A part by its id; a file whose parts are not all there was put together wrongly.
fn found<'a, T>(parts: &'a HashMap<String, T>, id: &str) -> Result<&'a T, FeedError> {
    parts.get(id).ok_or_else(|| {
        FeedError::Inconsistent(format!("it refers to {:?}, which is not there", quote(id)))
    })
}

/// `x86_64`, or the pattern `aarch64|x86_64`.
fn arches(element: &Element) -> Option<Vec<String>> {
    if !matches!(element.attribute("operation"), "" | "equals" | "pattern match") {
        return None;
    }
    let text = element.text.trim_start_matches('^').trim_end_matches('$');
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    text.split('|').all(word).then(|| text.split('|').map(str::to_owned).collect())
}
