//! `config.fstab` against `findmnt --fstab`.

use assay::model::lens::fstab::Fstab;
use serde_json::Value;

use crate::stage::{Stage, agree, printed};

const CASES: &[(&str, &str)] = &[
    ("plain", "UUID=1-2 / ext4 defaults 0 1\n/dev/sda2\t/home\text4\tnodev,nosuid\t0\t2\n"),
    ("comments and blanks", "# /dev/a /a ext4 x 0 0\n\n   # x\n  /dev/b   /b  ext4  ro  0 0 # y\n"),
    ("few words", "/dev/b /b ext4 ro\n/dev/c /c ext4 ro 1\n"),
    ("octal", "/dev/a /with\\040space ext4 ro 0 0\nLABEL=x\\040y /b\\011c ext4 ro 0 0\n"),
    ("swap", "/dev/a none swap sw 0 0\n/dev/b swap swap defaults 0 0\n"),
    ("twice", "tmpfs /tmp tmpfs defaults 0 0\ntmpfs /tmp tmpfs nodev 0 0\n"),
    ("quotes", "UUID=\"1-2\" /a ext4 context=\"a:b,c\",ro 0 0\nLABEL=x /b auto ro 0 0\n"),
    ("no line end", "/dev/a /a ext4 ro 0 0"),
];

#[test]
#[ignore = "needs findmnt (package util-linux), and chroot as root"]
fn findmnt_reads_what_the_lens_reads() {
    let stage = Stage::with(&["/usr/bin/findmnt"]);
    let mut wrong = Vec::new();
    for (name, text) in CASES {
        stage.write("/etc/fstab", text);
        let columns = "SOURCE,TARGET,FSTYPE,OPTIONS";
        let said = printed(&stage.run(&[
            "/usr/bin/findmnt",
            "--fstab",
            "--json",
            "--list",
            "-o",
            columns,
        ]));
        let said: Value = serde_json::from_str(&said.unwrap()).unwrap();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let theirs: Vec<[String; 4]> = said["filesystems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| ["source", "target", "fstype", "options"].map(|key| text(row, key)))
            .collect();
        let ours: Vec<[String; 4]> = stage
            .rows::<Fstab>()
            .into_iter()
            .map(|row| {
                [
                    row.source.to_string(),
                    row.target.to_string(),
                    row.fstype.to_string(),
                    row.options.join(","),
                ]
            })
            .collect();
        if ours != theirs {
            wrong.push(format!("{name}: findmnt\n  {theirs:?}\nthe lens\n  {ours:?}"));
        }
    }
    agree(&wrong);
}
