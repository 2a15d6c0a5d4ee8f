//! Inspector's exceptions.

use serde_json::{Map, Value as Json, json};

use crate::assess::store::{Counted, Kind, StoreError};

/// How many runs or agents an exception names.
const NAMED: usize = 10;

/// An exception, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The exception's name.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The members beside the name.
    pub members: Map<String, Json>,
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// An exception of the protocol, which has a message and nothing else.
    pub(super) fn protocol(name: &'static str, status: u16, message: impl Into<String>) -> Self {
        let mut members = Map::new();
        members.insert("message".into(), json!(message.into()));
        Self { name, status, members }
    }

    /// An exception of Inspector's, without a code.
    fn of(name: &'static str, message: impl Into<String>) -> Self {
        Self::protocol(name, 400, message).with("canRetry", json!(false))
    }

    fn with(mut self, member: &str, value: Json) -> Self {
        self.members.insert(member.into(), value);
        self
    }

    /// The input is not what it must be.
    pub(super) fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::of("InvalidInputException", message).with("errorCode", json!(code))
    }

    /// There is no such thing.
    pub(super) fn missing(code: &str, message: impl Into<String>) -> Self {
        Self::of("NoSuchEntityException", message).with("errorCode", json!(code))
    }

    /// A run must end first.
    pub(super) fn in_progress(runs: &[String]) -> Self {
        let named: Vec<&String> = runs.iter().take(NAMED).collect();
        Self::of("AssessmentRunInProgressException", "The assessment run is in progress.")
            .with("assessmentRunArns", json!(named))
            .with("assessmentRunArnsTruncated", json!(runs.len() > NAMED))
    }

    /// A preview is being made already.
    pub(super) fn preview_in_progress() -> Self {
        Self::protocol(
            "PreviewGenerationInProgressException",
            400,
            "An exclusions preview of this assessment template is being made already.",
        )
    }

    /// It went wrong here.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        let mut fault = Self::protocol("InternalException", 500, message);
        fault.members.insert("canRetry".into(), json!(true));
        fault
    }

    /// The message.
    pub fn message(&self) -> &str {
        self.members.get("message").and_then(Json::as_str).unwrap_or_default()
    }

    /// The body of the answer.
    pub fn body(&self) -> Json {
        let mut body = Map::new();
        body.insert("__type".into(), json!(self.name));
        body.extend(self.members.clone());
        Json::Object(body)
    }
}

/// Inspector's code for an ARN that is none, or names another kind of thing.
pub(super) const fn invalid_arn(kind: Kind) -> &'static str {
    match kind {
        Kind::ResourceGroup => "INVALID_RESOURCE_GROUP_ARN",
        Kind::Target => "INVALID_ASSESSMENT_TARGET_ARN",
        Kind::Template => "INVALID_ASSESSMENT_TEMPLATE_ARN",
        Kind::Run => "INVALID_ASSESSMENT_RUN_ARN",
        Kind::Finding => "INVALID_FINDING_ARN",
        Kind::RulesPackage => "INVALID_RULES_PACKAGE_ARN",
        Kind::Exclusion => "INVALID_RESOURCE_ARN",
    }
}

/// Inspector's code for an ARN that names nothing.
pub(super) const fn does_not_exist(kind: Kind) -> &'static str {
    match kind {
        Kind::ResourceGroup => "RESOURCE_GROUP_DOES_NOT_EXIST",
        Kind::Target => "ASSESSMENT_TARGET_DOES_NOT_EXIST",
        Kind::Template => "ASSESSMENT_TEMPLATE_DOES_NOT_EXIST",
        Kind::Run | Kind::Exclusion => "ASSESSMENT_RUN_DOES_NOT_EXIST",
        Kind::Finding => "FINDING_DOES_NOT_EXIST",
        Kind::RulesPackage => "RULES_PACKAGE_DOES_NOT_EXIST",
    }
}

const fn limit_exceeded(what: Counted) -> &'static str {
    match what {
        Counted::Targets => "ASSESSMENT_TARGET_LIMIT_EXCEEDED",
        Counted::Templates => "ASSESSMENT_TEMPLATE_LIMIT_EXCEEDED",
        Counted::Runs => "ASSESSMENT_RUN_LIMIT_EXCEEDED",
        Counted::ResourceGroups => "RESOURCE_GROUP_LIMIT_EXCEEDED",
        Counted::Subscriptions => "EVENT_SUBSCRIPTION_LIMIT_EXCEEDED",
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Missing(kind) => Self::missing(does_not_exist(kind), message),
            // Inspector has no code of its own for the name of a run.
            StoreError::NameTaken(Kind::Target) => {
                Self::invalid("ASSESSMENT_TARGET_NAME_ALREADY_TAKEN", message)
            }
            StoreError::NameTaken(_) => {
                Self::invalid("ASSESSMENT_TEMPLATE_NAME_ALREADY_TAKEN", message)
            }
            StoreError::Limit { what, .. } => Self::of("LimitExceededException", message)
                .with("errorCode", json!(limit_exceeded(what))),
            StoreError::InProgress(runs) => Self::in_progress(&runs),
            StoreError::AgentsBusy(agents) => {
                let named: Vec<Json> = agents
                    .iter()
                    .take(NAMED)
                    .map(|(agent, run)| json!({"agentId": agent, "assessmentRunArn": run}))
                    .collect();
                Self::of("AgentsAlreadyRunningAssessmentException", message)
                    .with("agents", json!(named))
                    .with("agentsTruncated", json!(agents.len() > NAMED))
                    .with("canRetry", json!(true))
            }
            StoreError::Database(_)
            | StoreError::Damaged(_)
            | StoreError::TooNew(_)
            | StoreError::NoRandom => Self::internal(message),
        }
    }
}
