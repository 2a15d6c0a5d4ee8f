//! `assay vercmp`.

use std::cmp::Ordering;
use std::io::{BufRead, Write};

use super::{Exit, Failure, render, stdout};
use crate::model::version::Scheme;

/// Compares one pair, or each line of standard input.
pub(super) fn run(scheme: &str, pair: Option<(&str, &str)>) -> Result<Exit, Failure> {
    let Some(known) = Scheme::parse(scheme) else {
        let names = Scheme::ALL.map(|(_, name)| name).join(", ");
        render::line(&format!("error: there is no version scheme {scheme:?}; there is {names}"));
        return Ok(Exit::Usage);
    };
    let sign = |a: &str, b: &str| match known.compare(a, b) {
        Ordering::Less => "<",
        Ordering::Greater => ">",
        Ordering::Equal => "=",
    };
    let mut out = stdout();
    if let Some((a, b)) = pair {
        writeln!(out, "{}", sign(a, b))?;
    } else {
        for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
            let line = line?;
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(a), Some(b), None) => writeln!(out, "{}", sign(a, b))?,
                _ => {
                    out.flush()?;
                    render::line(&format!("error: line {number} is not two versions"));
                    return Ok(Exit::Usage);
                }
            }
        }
    }
    out.flush()?;
    Ok(Exit::Clean)
}
