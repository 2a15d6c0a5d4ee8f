//! The console, asked as a browser asks it: who comes in, what forms do, what is shown of hostile
//! hosts. And the same in a real browser.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod browser;
mod support;

use assay::api::console::Told;
use support::{Desk, put_hostile, put_sample};

/// What a page must never hold, whatever hosts say.
fn is_safe(page: &str) {
    for bad in ["<script", "<img", "\u{202e}", "\x1b", "javascript:"] {
        assert!(!page.contains(bad), "{bad:?} in {page}");
    }
}

fn page(told: &Told) -> String {
    assert_eq!(told.status, 200, "{}", String::from_utf8_lossy(&told.body));
    assert!(told.policy.starts_with("default-src 'none'"));
    assert!(!told.policy.contains("script"), "no script may run");
    let text = String::from_utf8(told.body.clone()).unwrap();
    is_safe(&text);
    text
}

/// The rules packages of a form.
fn packages(form: &str) -> Vec<String> {
    let values = form.split("name=\"package\" value=\"").skip(1);
    values.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn nobody_comes_in_without_a_key() {
    let mut desk = Desk::locked();
    for path in ["/", "/targets", "/runs/show", "/nonsense"] {
        let told = desk.get(path);
        assert_eq!(
            (told.status, told.location.as_deref()),
            (303, Some("/console/login")),
            "{path}"
        );
    }
    assert_eq!(desk.post("/targets", &[("name", "x")]).status, 303);
    assert_eq!(desk.get("/style.css").kind, "text/css; charset=utf-8");
    let (id, secret) = desk.key();
    for (id, secret) in [("", ""), (&*id, ""), ("", &*secret), (&*id, "wrong"), ("wrong", &*secret)]
    {
        let told = desk.post("/login", &[("id", id), ("secret", secret)]);
        assert_eq!((told.status, told.cookie.is_none()), (403, true));
        assert!(String::from_utf8_lossy(&told.body).contains("No key of this server"));
    }
    let told = desk.post("/login", &[("id", &id), ("secret", &secret)]);
    assert_eq!((told.status, told.location.as_deref()), (303, Some("/console/")));
    assert!(told.cookie.unwrap().contains("HttpOnly; SameSite=Strict"));
    assert!(page(&desk.get("/")).contains("Dashboard"));
    let told = desk.post("/logout", &[]);
    assert!(told.cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(desk.get("/").status, 303);
}

#[test]
fn keys_cannot_be_tried_out() {
    let mut desk = Desk::locked();
    let status: Vec<u16> =
        (0..30).map(|_| desk.post("/login", &[("id", "a"), ("secret", "b")]).status).collect();
    assert_eq!((status[0], status[29]), (403, 429));
}

#[test]
fn forms_from_elsewhere_change_nothing() {
    let mut desk = Desk::open();
    page(&desk.get("/targets"));
    let fields = [("name", "mine")];
    assert_eq!(desk.post_without_guard("/targets", &fields).status, 403);
    assert_eq!(desk.post_without_guard("/targets", &[("name", "a"), ("form", "0")]).status, 403);
    assert_eq!(desk.post_foreign("/targets", &fields).status, 403);
    assert!(page(&desk.get("/targets")).contains("There are no targets yet"));
    assert_eq!(desk.post("/targets", &fields).status, 303);
    assert!(page(&desk.get("/targets")).contains("mine"));
    let other = Desk::beside(&desk);
    assert_eq!(other.post_with("/targets", &fields, &desk.guard()).status, 403, "another session");
}

#[test]
fn from_a_target_to_a_finding_and_its_report() {
    let mut desk = Desk::open();
    put_sample(desk.data(), "debian-12-planted");
    assert!(page(&desk.get("/agents")).contains("debian-12-planted"));
    desk.post("/targets", &[("name", "everything"), ("tags", "")]);
    let told = desk.post("/targets", &[("name", "everything")]);
    assert_eq!(told.status, 400, "the name is taken");
    assert!(String::from_utf8_lossy(&told.body).contains("value=\"everything\""), "it is kept");
    let form = page(&desk.get("/templates/new"));
    let target = desk.value(&form, "<option value=\"arn:aws:inspector", "<option value=\"");
    let packages = packages(&form);
    assert_eq!(packages.len(), 4);
    let mut fields = vec![
        ("target", target.as_str()),
        ("name", "nightly"),
        ("duration", "900"),
        ("attributes", "team=web"),
        ("tags", "a=b\nc"),
        ("then", "run"),
    ];
    let bad = desk.post("/templates/new", &fields);
    assert_eq!(bad.status, 400, "no package is chosen");
    fields.extend(packages.iter().map(|package| ("package", package.as_str())));
    let told = desk.post("/templates/new", &fields);
    let run = told.location.unwrap();
    assert!(run.starts_with("/console/runs/show?arn="), "{run}");
    let path = run.strip_prefix("/console").unwrap().to_owned();
    let shown = desk.until(&path, "Analysis complete");
    assert!(shown.contains("EVALUATING_RULES"));
    assert!(page(&desk.get("/")).contains("The last run that found something"));
    assert!(page(&desk.get("/runs")).contains("Analysis complete"));
    assert!(page(&desk.get("/templates")).contains("nightly"));

    let of_run = path.replace("/runs/show?arn=", "/findings?run=");
    let worst = page(&desk.get(&of_run));
    let rest = page(&desk.get(&format!("{of_run}&after=50")));
    assert_eq!(worst.matches("/console/findings/show").count(), 50);
    assert!(
        worst.contains("badge high") && !worst.contains("badge medium"),
        "the worst come first"
    );
    assert!(worst.contains("after=50") && rest.contains("badge medium"), "and the others after");
    let all = page(&desk.get("/findings"));
    let high = page(&desk.get("/findings?severity=High"));
    assert!(all.contains("badge medium") || all.contains("Next page"));
    assert!(!high.contains("badge medium") && high.contains("badge high"));
    let text = page(&desk.get("/findings?text=ROOT%20CREDENTIALS"));
    assert_eq!(text.matches("/console/findings/show").count(), 1, "one is about root over SSH");
    assert!(page(&desk.get("/findings?text=no+such+thing")).contains("No finding is like that"));
    let finding = desk.value(&text, "/console/findings/show?arn=", "/console");
    let finding = page(&desk.get(&finding.replace("&amp;", "&")));
    for wanted in ["/etc/ssh/sshd_config", "Recommendation", "Evidence", "team", "INSTANCE_ID"] {
        assert!(finding.contains(wanted), "{wanted}: {finding}");
    }

    let arn = path.strip_prefix("/runs/show?").unwrap();
    let report = desk.get(&format!("/runs/report?{arn}&format=html&type=full"));
    assert_eq!((report.status, report.kind), (200, "text/html; charset=utf-8"));
    let report = String::from_utf8(report.body).unwrap();
    for wanted in ["Rules checked", "CIS scores", "nightly", "everything", "Level 1 - Server"] {
        assert!(report.contains(wanted), "{wanted}");
    }
    let report = desk.get(&format!("/runs/report?{arn}&format=pdf&type=finding"));
    assert!(report.body.starts_with(b"%PDF") && report.file.unwrap().ends_with(".pdf"));

    let run = desk.value(&shown, "name=\"arn\" value=\"arn", "name=\"arn\" value=\"");
    assert_eq!(desk.post("/runs/delete", &[("arn", &run)]).status, 303);
    assert!(page(&desk.get("/runs")).contains("The run is gone"));
    assert_eq!(desk.get(&path).status, 404);
}

#[test]
fn what_hosts_say_is_shown_and_does_nothing() {
    let mut desk = Desk::open();
    put_hostile(desk.data());
    std::fs::write(desk.data().join("agents/<img src=x>.assay"), "no snapshot").unwrap();
    let name = "\"><script>alert(1)</script>\u{202e}";
    assert_eq!(desk.post("/targets", &[("name", "all")]).status, 303);
    let tags = [("name", name), ("tags", "<script>=<img src=x>")];
    assert_eq!(desk.post("/targets", &tags).status, 303);
    let form = page(&desk.get("/templates/new"));
    let target = desk.value(&form, "<option value=\"arn:aws:inspector", "<option value=\"");
    let packages = packages(&form);
    let mut fields = vec![
        ("target", target.as_str()),
        ("name", name),
        ("duration", "900"),
        ("attributes", "<img src=x>=<script>"),
        ("then", "run"),
    ];
    fields.extend(packages.iter().map(|package| ("package", package.as_str())));
    let told = desk.post("/templates/new", &fields);
    let run = told.location.unwrap();
    let run = run.strip_prefix("/console").unwrap().to_owned();
    desk.until(&run, "Analysis complete");
    for path in ["/", "/targets", "/templates", "/templates/new", "/runs", "/agents", "/findings"] {
        page(&desk.get(path));
    }
    page(&desk.get("/findings?text=%3Cscript%3E&severity=%3Cimg&run=&agent=%3Cscript"));
    assert!(page(&desk.get("/agents")).contains("&lt;script&gt;"), "it is shown");
    for path in ["/findings?run=%3Cscript%3E", "/findings/show?arn=%00", "/runs/show?arn=%3Cimg"] {
        let told = desk.get(path);
        assert!((400..500).contains(&told.status), "{path}: {}", told.status);
        is_safe(&String::from_utf8(told.body).unwrap());
    }
}
