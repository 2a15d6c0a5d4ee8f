//! Reports of runs.

use super::{Call, Reply};
use crate::api::fault::Fault;
use crate::assess::store::Kind;

pub(super) fn get(call: &Call<'_>) -> Reply {
    let input = call.input();
    let run = input.arn("assessmentRunArn", Kind::Run)?;
    let found = call.service.store.run(run)?;
    let found = found.ok_or(crate::assess::store::StoreError::Missing(Kind::Run))?;
    if !found.state.is_final() {
        return Err(Fault::in_progress(&[found.arn]));
    }
    Err(Fault::unsupported("This version makes no reports yet."))
}
