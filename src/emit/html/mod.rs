//! The report as one page that needs nothing else: no scripts, pictures as inline SVG, a policy that
//! forbids the browser to load anything. Prints well.

mod findings;
mod summary;

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::document::{Document, package_name};
use super::lines as shown;
use super::time;
use crate::model::finding::RulesPackage;

const STYLE: &str = include_str!("style.css");
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(document).into_string().as_bytes())
}

fn page(document: &Document) -> Markup {
    let title = shown(&document.title());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "assay " (document.version) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.lead { "What is wrong, where it was seen, and how to put it right." }
                    (about(document))
                }
                (contents(document))
                main {
                    (summary::all(document))
                    (findings::all(document))
                    (findings::unjudged(document))
                    @if !document.findings_only { (findings::rules(document)) }
                }
                footer { "Made by assay " (document.version) ". Times are those of the snapshots." }
            }
        }
    }
}

fn about(document: &Document) -> Markup {
    let packages = document.packages();
    html! {
        dl.about {
            @for (name, value) in &document.about { dt { (name) } dd { (shown(value)) } }
            dt { "Hosts" }
            dd {
                (document.hosts.len()) " judged"
                @if !document.refused.is_empty() { ", " (document.refused.len()) " refused" }
            }
            @if let Some((first, last)) = document.collected() {
                dt { "Collected" }
                dd {
                    (time::minutes(first))
                    @if first != last { " to " (time::minutes(last)) }
                }
            }
            dt { "Rules packages" }
            dd {
                @for (at, package) in packages.iter().enumerate() {
                    @if at > 0 { ", " }
                    (package_name(*package))
                }
            }
            @if let (Some(profile), true) = (&document.profile, packages.contains(&RulesPackage::Cis)) {
                dt { "CIS profile" }
                dd { (shown(profile)) }
            }
        }
    }
}

fn contents(document: &Document) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                li { a href="#summary" { "Summary" } }
                li { a href="#hosts" { "Hosts" } }
                @if !document.scores().0.is_empty() { li { a href="#scores" { "CIS scores" } } }
                @for package in document.packages() {
                    li { a href={ "#" (package.short()) } { (package_name(package)) } }
                }
                @if !document.exclusions.is_empty() || !document.refused.is_empty() {
                    li { a href="#unjudged" { "What was not judged" } }
                }
                @if !document.findings_only { li { a href="#rules" { "Rules checked" } } }
            }
        }
    }
}
