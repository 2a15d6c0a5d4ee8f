//! Reports of runs.

use super::{Call, Reply};
use crate::api::fault::Fault;
use crate::api::input::required;
use crate::assess::store::Kind;

/// Inspector has no codes of its own for the words of reports.
const WORD: &str = "INVALID_ATTRIBUTE";

pub(super) fn get(call: &Call<'_>) -> Reply {
    let input = call.input();
    let run = input.arn("assessmentRunArn", Kind::Run)?;
    for (name, words) in
        [("reportFileFormat", ["HTML", "PDF"]), ("reportType", ["FINDING", "FULL"])]
    {
        let known = |word: &str| words.into_iter().find(|known| *known == word);
        input.word(name, WORD, known)?.ok_or_else(|| required(name, WORD))?;
    }
    let found = call.service.store.run(run)?;
    let found = found.ok_or(crate::assess::store::StoreError::Missing(Kind::Run))?;
    if !found.state.is_final() {
        return Err(Fault::in_progress(&[found.arn]));
    }
    Err(Fault::unsupported("This version makes no reports yet."))
}
