//! Walks the flows that scripts have, with Amazon's own Rust client, against a server it is pointed at:
//!
//!     AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... inspector-client ENDPOINT
//!
//! The server needs at least one agent that can be judged. What is not as the client's types say, or as
//! Inspector was, ends it with a panic.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_inspector::Client;
use aws_sdk_inspector::config::{Config, Credentials, Region};
use aws_sdk_inspector::error::ProvideErrorMetadata;
use aws_sdk_inspector::operation::create_assessment_target::CreateAssessmentTargetError;
use aws_sdk_inspector::operation::delete_assessment_run::DeleteAssessmentRunError;
use aws_sdk_inspector::operation::start_assessment_run::StartAssessmentRunError;
use aws_sdk_inspector::types::{
    AgentHealth, AssessmentRun, AssessmentRunState, Attribute, FailedItemErrorCode, FindingFilter,
    InvalidInputErrorCode, NoSuchEntityErrorCode, ReportFileFormat, ReportStatus, ReportType,
    ResourceGroupTag, Severity, StopAction,
};

const NOWHERE: &str =
    "arn:aws:inspector:us-east-1:000000000000:target/0-AAAAAAAA/template/0-AAAAAAAA";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = client(&std::env::args().nth(1).expect("an endpoint"));
    let template = prepare(&client).await;
    let run = judge(&client, &template).await;
    let found = findings(&client, &run).await;
    report(&client, &run).await;
    refused(&client, &template, &run).await;
    end(&client, &run).await;
    println!("{found} findings");
}

fn client(endpoint: &str) -> Client {
    let from = |name: &str| std::env::var(name).expect(name);
    let (id, secret) = (from("AWS_ACCESS_KEY_ID"), from("AWS_SECRET_ACCESS_KEY"));
    let config = Config::builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Everything that a run needs; gives the template.
async fn prepare(client: &Client) -> String {
    let tag = ResourceGroupTag::builder().key("nobody has this").build().unwrap();
    let group = client.create_resource_group().resource_group_tags(tag).send().await.unwrap();
    let described = client.describe_resource_groups();
    let described = described.resource_group_arns(group.resource_group_arn()).send().await.unwrap();
    assert_eq!(described.resource_groups()[0].tags()[0].key(), "nobody has this");

    let target = client.create_assessment_target().assessment_target_name("rust");
    let target = target.resource_group_arn(group.resource_group_arn()).send().await.unwrap();
    let target = target.assessment_target_arn();
    let agents = client.preview_agents().preview_agents_arn(target).send().await.unwrap();
    assert!(agents.agent_previews().is_empty());
    let update = client.update_assessment_target().assessment_target_arn(target);
    update.assessment_target_name("rust: every agent").send().await.unwrap();
    let agents = client.preview_agents().preview_agents_arn(target).max_results(1);
    let mut pages = agents.into_paginator().send();
    let mut healths = Vec::new();
    while let Some(page) = pages.next().await {
        let [agent] = page.unwrap().agent_previews.try_into().expect("one agent a page");
        healths.extend(agent.agent_health);
    }
    assert!(healths.contains(&AgentHealth::Healthy));

    let mut packages = BTreeSet::new();
    let mut pages = client.list_rules_packages().max_results(3).into_paginator().send();
    while let Some(page) = pages.next().await {
        packages.extend(page.unwrap().rules_package_arns);
    }
    let described = client.describe_rules_packages();
    let described = described.set_rules_package_arns(Some(packages.iter().cloned().collect()));
    let described = described.send().await.unwrap();
    assert_eq!(described.rules_packages().len(), 4);
    assert!(described.failed_items().is_empty());

    let attribute = Attribute::builder().key("by").value("rust").build().unwrap();
    let template = client.create_assessment_template().assessment_target_arn(target);
    let template = template.assessment_template_name("rust").duration_in_seconds(180);
    let template = template.set_rules_package_arns(Some(packages.into_iter().collect()));
    let template = template.user_attributes_for_findings(attribute).send().await.unwrap();
    template.assessment_template_arn().to_owned()
}

/// A run, until it has ended.
async fn judge(client: &Client, template: &str) -> AssessmentRun {
    let run = client.start_assessment_run().assessment_template_arn(template).send().await.unwrap();
    for _ in 0..6000 {
        let described = client.describe_assessment_runs();
        let described = described.assessment_run_arns(run.assessment_run_arn()).send().await;
        let described = described.unwrap().assessment_runs().first().cloned().unwrap();
        if described.completed_at().is_some() {
            assert_eq!(described.state(), &AssessmentRunState::CompletedWithErrors);
            assert!(described.data_collected());
            assert!(described.started_at() >= Some(described.created_at()));
            return described;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the run does not end");
}

/// The ARNs of a run's findings, page by page.
async fn listed(client: &Client, run: &AssessmentRun, filter: FindingFilter) -> Vec<String> {
    let findings = client.list_findings().assessment_run_arns(run.arn()).filter(filter);
    let mut pages = findings.max_results(50).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(page.unwrap().finding_arns);
    }
    arns
}

/// Every finding of a run, whole; gives how many there are.
async fn findings(client: &Client, run: &AssessmentRun) -> usize {
    let arns = listed(client, run, FindingFilter::builder().build()).await;
    let counted: i32 = run.finding_counts().values().sum();
    assert_eq!(usize::try_from(counted).unwrap(), arns.len());
    let mut high = 0;
    for chunk in arns.chunks(10) {
        let described = client.describe_findings().set_finding_arns(Some(chunk.to_vec()));
        let described = described.send().await.unwrap();
        assert_eq!(described.findings().len(), chunk.len());
        for finding in described.findings() {
            assert_eq!(finding.user_attributes()[0].value(), Some("rust"));
            assert!(finding.asset_attributes().unwrap().agent_id().is_some());
            let service = finding.service_attributes().unwrap();
            assert_eq!(service.assessment_run_arn(), Some(run.arn()));
            high += usize::from(finding.severity() == Some(&Severity::High));
        }
    }
    let filter = FindingFilter::builder().severities(Severity::High).build();
    assert_eq!(listed(client, run, filter).await.len(), high);

    let attribute = Attribute::builder().key("ticket").value("42").build().unwrap();
    let added = client.add_attributes_to_findings().finding_arns(&arns[0]).finding_arns("no arn");
    let added = added.attributes(attribute).send().await.unwrap();
    let failed = added.failed_items()["no arn"].failure_code();
    assert_eq!(failed, &FailedItemErrorCode::InvalidArn);
    let removed = client.remove_attributes_from_findings().finding_arns(&arns[0]);
    let removed = removed.attribute_keys("ticket").send().await.unwrap();
    assert!(removed.failed_items().is_empty());
    arns.len()
}

async fn report(client: &Client, run: &AssessmentRun) {
    for _ in 0..6000 {
        let report = client.get_assessment_report().assessment_run_arn(run.arn());
        let report = report.report_file_format(ReportFileFormat::Pdf).report_type(ReportType::Full);
        let report = report.send().await.unwrap();
        match report.status() {
            ReportStatus::WorkInProgress => assert_eq!(report.url(), None),
            ReportStatus::Completed => {
                assert!(report.url().unwrap().starts_with("http://127.0.0.1:"));
                return;
            }
            status => panic!("the report: {status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the report is not made");
}

/// What is wrong is refused as the client knows it.
async fn refused(client: &Client, template: &str, run: &AssessmentRun) {
    let taken = client.create_assessment_target().assessment_target_name("rust: every agent");
    match taken.send().await.unwrap_err().into_service_error() {
        CreateAssessmentTargetError::InvalidInputException(error) => {
            let code = InvalidInputErrorCode::AssessmentTargetNameAlreadyTaken;
            assert_eq!(error.error_code(), &code);
            assert!(!error.can_retry());
        }
        other => panic!("{other:?}"),
    }
    let missing = client.start_assessment_run().assessment_template_arn(NOWHERE);
    match missing.send().await.unwrap_err().into_service_error() {
        StartAssessmentRunError::NoSuchEntityException(error) => {
            let code = NoSuchEntityErrorCode::AssessmentTemplateDoesNotExist;
            assert_eq!(error.error_code(), &code);
        }
        other => panic!("{other:?}"),
    }
    let again = client.start_assessment_run().assessment_template_arn(template);
    let again = again.assessment_run_name(run.name()).send().await.unwrap_err();
    assert_eq!(again.code(), Some("InvalidInputException"));
    let delete = client.delete_assessment_run().assessment_run_arn("no arn");
    match delete.send().await.unwrap_err().into_service_error() {
        DeleteAssessmentRunError::InvalidInputException(error) => {
            assert_eq!(error.error_code(), &InvalidInputErrorCode::InvalidAssessmentRunArn);
        }
        other => panic!("{other:?}"),
    }
}

/// Operations without an answer, and what they leave behind.
async fn end(client: &Client, run: &AssessmentRun) {
    let stop = client.stop_assessment_run().assessment_run_arn(run.arn());
    stop.stop_action(StopAction::SkipEvaluation).send().await.unwrap();
    client.delete_assessment_run().assessment_run_arn(run.arn()).send().await.unwrap();
    let gone = client.describe_assessment_runs().assessment_run_arns(run.arn());
    let gone = gone.send().await.unwrap();
    let code = gone.failed_items()[run.arn()].failure_code();
    assert_eq!(code, &FailedItemErrorCode::ItemDoesNotExist);
}
