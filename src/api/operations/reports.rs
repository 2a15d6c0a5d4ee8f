//! Reports of runs.

use serde_json::json;

use super::{Call, Reply};
use crate::api::fault::Fault;
use crate::api::input::required;
use crate::api::{reports, uuid};
use crate::assess::store::{Kind, ReportStatus, StoreError};

/// Inspector has no codes of its own for the words of reports.
const WORD: &str = "INVALID_ATTRIBUTE";

pub(super) fn get(call: &Call<'_>) -> Reply {
    let input = call.input();
    let run = input.arn("assessmentRunArn", Kind::Run)?;
    let word = |name: &str, words: [&'static str; 2]| {
        let known = |word: &str| words.into_iter().find(|known| *known == word);
        input.word(name, WORD, known)?.ok_or_else(|| required(name, WORD))
    };
    let format = word("reportFileFormat", ["HTML", "PDF"])?;
    let kind = word("reportType", ["FINDING", "FULL"])?;
    let store = &call.service.store;
    let found = store.run(run)?.ok_or(StoreError::Missing(Kind::Run))?;
    if !found.state.is_final() {
        return Err(Fault::in_progress(&[found.arn]));
    }
    let report = store.report(run, format, kind, &uuid())?;
    let mut answer = json!({"status": report.status.name()});
    match report.status {
        ReportStatus::InProgress => call.service.work.ring(),
        ReportStatus::Failed => {}
        ReportStatus::Completed => {
            let path = reports::path(&report.token, format);
            answer["url"] = json!(format!("{}{path}", call.origin));
        }
    }
    Ok(Some(answer))
}
