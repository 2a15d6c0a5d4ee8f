//! `config.xinetd`: the services that xinetd offers, xinetd.conf(5): /etc/xinetd.conf and what it
//! includes. Without that file, as on an image that is being built, those in /etc/xinetd.d.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const MAIN: &str = "/etc/xinetd.conf";
const DIRECTORY: &str = "/etc/xinetd.d";

facts! {
    /// Services of xinetd.
    #[table(name = "config.xinetd", origin = Lens, location = "{path}")]
    pub struct Xinetd {
        /// The file.
        pub path: AbsPath,
        /// The line on which it begins, from 1.
        pub line: i64,
        /// The service.
        pub name: Arc<str>,
        /// Its id: the same unless `id` says otherwise.
        pub id: Arc<str>,
        /// Whether xinetd offers it: neither `disable` nor the defaults switch it off.
        pub enabled: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Xinetd::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<Xinetd>(files);
        let mut reader = Reader::default();
        match files.get(MAIN) {
            Some(main) => {
                reader.read(main, reading.text(main));
                for place in std::mem::take(&mut reader.includes) {
                    for file in included(files, &place) {
                        reader.read(file, reading.text(file));
                    }
                }
            }
            None => {
                for file in included(files, &Place::Directory(DIRECTORY.into())) {
                    reader.read(file, reading.text(file));
                }
            }
        }
        let Reader { services, disabled, enabled, .. } = reader;
        for mut service in services {
            service.enabled &= !disabled.contains(&service.id)
                && enabled.as_ref().is_none_or(|list| list.contains(&service.id));
            reading.push(service);
        }
        Ok(reading.done())
    }
}

enum Place {
    File(String),
    Directory(String),
}

/// The files of an `include` or an `includedir`: no dot in the name, no tilde at its end.
fn included<'a>(files: &'a ConfigFiles, place: &Place) -> Vec<&'a Text> {
    match place {
        Place::File(path) => files.get(path).into_iter().collect(),
        Place::Directory(directory) => files
            .iter()
            .filter(|file| {
                file.path.rsplit_once('/').is_some_and(|(own, name)| {
                    own == directory.trim_end_matches('/')
                        && !name.contains('.')
                        && !name.ends_with('~')
                })
            })
            .collect(),
    }
}

#[derive(Default)]
struct Reader {
    services: Vec<Xinetd>,
    /// Ids that the defaults switch off.
    disabled: Vec<Arc<str>>,
    /// The only ids that the defaults leave on.
    enabled: Option<Vec<Arc<str>>>,
    includes: Vec<Place>,
}

impl Reader {
    fn read(&mut self, file: &Text, text: &str) {
        let mut in_defaults = false;
        // The service whose block is open.
        let mut service: Option<Xinetd> = None;
        for (line, text) in (1..).zip(text.lines()) {
            let words: Vec<&str> = text.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["service", name, ..] => {
                    self.services.extend(service.take());
                    in_defaults = false;
                    service = Some(Xinetd {
                        path: AbsPath(Arc::clone(&file.path)),
                        line,
                        name: (*name).into(),
                        id: (*name).into(),
                        enabled: true,
                    });
                }
                ["defaults", ..] => {
                    self.services.extend(service.take());
                    in_defaults = true;
                }
                ["}", ..] => {
                    self.services.extend(service.take());
                    in_defaults = false;
                }
                ["include", path] => self.includes.push(Place::File((*path).to_owned())),
                ["includedir", path] => self.includes.push(Place::Directory((*path).to_owned())),
                _ => {
                    let Some((key, values)) = text.split_once('=') else { continue };
                    let key = key.trim().trim_end_matches(['+', '-']).trim_end();
                    let values = values.split_whitespace().map(Arc::from);
                    match (key, &mut service) {
                        ("disable", Some(service)) => {
                            service.enabled = !values.into_iter().any(|v: Arc<str>| &*v == "yes");
                        }
                        ("id", Some(service)) => {
                            if let Some(id) = values.into_iter().next() {
                                service.id = id;
                            }
                        }
                        ("disabled", None) if in_defaults => self.disabled.extend(values),
                        ("enabled", None) if in_defaults => {
                            self.enabled.get_or_insert_default().extend(values);
                        }
                        _ => {}
                    }
                }
            }
        }
        self.services.extend(service);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        let rows: Vec<Xinetd> = rows(&Lens, texts);
        rows.iter().map(|r| format!("{}:{} {} {}", r.path.0, r.line, r.id, r.enabled)).collect()
    }

    #[test]
    fn services_are_on_unless_something_says_otherwise() {
        let telnet = "# default: on\nservice telnet\n{\n\tdisable\t= no\n}\n";
        let echo = "service echo\n{\n id = echo-stream\n disable = yes\n}\nservice echo\n{\n id=echo-dgram\n}\n";
        let main = "defaults\n{\n disabled = talk x\n}\nincludedir /etc/xinetd.d\n";
        let mut texts = vec![
            ("/etc/xinetd.d/echo", echo),
            ("/etc/xinetd.d/talk", "service talk\n{\n disable = no\n}\n"),
            ("/etc/xinetd.d/telnet", telnet),
            ("/etc/xinetd.d/telnet.old", telnet),
        ];
        let (off, on) = ("/etc/xinetd.d/talk:1 talk false", "/etc/xinetd.d/talk:1 talk true");
        let mut expected = vec![
            "/etc/xinetd.d/echo:1 echo-stream false",
            "/etc/xinetd.d/echo:6 echo-dgram true",
            on,
            "/etc/xinetd.d/telnet:2 telnet true",
        ];
        assert_eq!(shown(&texts), expected);
        texts.push((MAIN, main));
        expected[2] = off;
        assert_eq!(shown(&texts), expected);
        texts.pop();
        texts.push((MAIN, "defaults\n{\n enabled = talk\n}\ninclude /etc/xinetd.d/telnet\n"));
        assert_eq!(shown(&texts), ["/etc/xinetd.d/telnet:2 telnet false"]);
    }
}
