//! Assessment templates.

use serde_json::{Map, Value as Json, json};

use super::{Call, Reply, describe, pairs, time};
use crate::api::input::{USER_ATTRIBUTES, required};
use crate::assess::store::{Kind, NewTemplate, Template, TemplateFilter};

const NAME: &str = "INVALID_ASSESSMENT_TEMPLATE_NAME";
const DURATION: &str = "INVALID_ASSESSMENT_TEMPLATE_DURATION";
const PACKAGES: &str = "INVALID_NUMBER_OF_RULES_PACKAGE_ARNS";

pub(super) fn create(call: &Call<'_>) -> Reply {
    let input = call.input();
    let target = input.arn("assessmentTargetArn", Kind::Target)?;
    let name = input.name("assessmentTemplateName", NAME)?;
    let name = name.ok_or_else(|| required("assessmentTemplateName", NAME))?;
    let duration = input.seconds("durationInSeconds", DURATION)?;
    let duration = duration.ok_or_else(|| required("durationInSeconds", DURATION))?;
    let packages = input.packages("rulesPackageArns")?;
    let packages = packages.ok_or_else(|| required("rulesPackageArns", PACKAGES))?;
    let attributes = input.pairs("userAttributesForFindings", 0..=10, USER_ATTRIBUTES)?;
    let new = NewTemplate {
        target,
        name,
        duration,
        packages: &packages,
        attributes: &attributes.unwrap_or_default(),
    };
    let arn = call.service.store.create_template(new, call.now())?;
    Ok(Some(json!({"assessmentTemplateArn": arn})))
}

pub(super) fn delete(call: &Call<'_>) -> Reply {
    let arn = call.input().arn("assessmentTemplateArn", Kind::Template)?;
    call.service.store.delete_template(arn)?;
    Ok(None)
}

pub(super) fn describe(call: &Call<'_>) -> Reply {
    const NUMBER: &str = "INVALID_NUMBER_OF_ASSESSMENT_TEMPLATE_ARNS";
    let arns = call.input().described("assessmentTemplateArns", Kind::Template, 10, NUMBER)?;
    describe::list("assessmentTemplates", Kind::Template, &arns, |arn| {
        Ok(call.service.store.template(arn)?.map(|found| template(&found)))
    })
}

fn template(template: &Template) -> Json {
    let mut out = Map::new();
    out.insert("arn".into(), json!(template.arn));
    out.insert("name".into(), json!(template.name));
    out.insert("assessmentTargetArn".into(), json!(template.target));
    out.insert("durationInSeconds".into(), json!(template.duration));
    out.insert("rulesPackageArns".into(), json!(template.packages));
    out.insert("userAttributesForFindings".into(), pairs(&template.attributes));
    if let Some(run) = &template.last_run {
        out.insert("lastAssessmentRunArn".into(), json!(run));
    }
    out.insert("assessmentRunCount".into(), json!(template.runs));
    out.insert("createdAt".into(), time(template.created));
    Json::Object(out)
}

pub(super) fn list(call: &Call<'_>) -> Reply {
    const PATTERN: &str = "INVALID_ASSESSMENT_TEMPLATE_NAME_PATTERN";
    const RANGE: &str = "INVALID_ASSESSMENT_TEMPLATE_DURATION_RANGE";
    let page = call.page()?;
    let input = call.input();
    let number = "INVALID_NUMBER_OF_ASSESSMENT_TARGET_ARNS";
    let targets = input.parents("assessmentTargetArns", Kind::Target, number)?;
    let mut filter = TemplateFilter { targets, ..TemplateFilter::default() };
    if let Some(given) = input.structure("filter", PATTERN)? {
        filter.name = given.name("namePattern", PATTERN)?.map(str::to_owned);
        filter.duration = given.durations("durationRange", RANGE)?;
        filter.packages = given.packages("rulesPackageArns")?.unwrap_or_default();
    }
    call.listed_arns("assessmentTemplateArns", call.service.store.templates(&filter, page)?)
}
