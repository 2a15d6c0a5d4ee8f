//! Users, groups and the state of their passwords.

use std::sync::Arc;

use crate::facts;
use crate::model::cell::AbsPath;

facts! {
    /// Local users (/etc/passwd), in file order.
    #[table(name = "users", origin = Collected, location = "/etc/passwd")]
    pub struct User {
        /// The user's name.
        pub name: Arc<str>,
        /// User id.
        pub uid: i64,
        /// Primary group id.
        pub gid: i64,
        /// The GECOS field.
        pub gecos: Arc<str>,
        /// Home directory.
        pub home: AbsPath,
        /// Login shell; empty means /bin/sh.
        pub shell: AbsPath,
        /// What the password field is: `shadowed` (x), `empty`, `locked` (* or !), `hash`.
        pub password: Arc<str>,
        /// Line in /etc/passwd.
        pub line: i64,
    }

    /// Local groups (/etc/group), in file order.
    #[table(name = "groups", origin = Collected, location = "/etc/group")]
    pub struct Group {
        /// The group's name.
        pub name: Arc<str>,
        /// Group id.
        pub gid: i64,
        /// Names of the members listed in the file.
        pub members: Vec<Arc<str>>,
        /// Line in /etc/group.
        pub line: i64,
    }

    /// Password state and ages (/etc/shadow), never a hash.
    #[table(name = "shadow", origin = Collected, location = "/etc/shadow")]
    pub struct Shadow {
        /// The user's name.
        pub name: Arc<str>,
        /// `set`, `empty`, `locked` (! before a hash), `none` (* or ! alone), or `directory`: a line
        /// that begins with + or - stands for entries of a directory service.
        pub status: Arc<str>,
        /// Hash algorithm: `yescrypt`, `sha512`, `sha256`, `md5`, `des`, `bcrypt`, ...
        pub algorithm: Option<Arc<str>>,
        /// Day of the last change, in days since 1970-01-01.
        pub last_change: Option<i64>,
        /// Days before the password may be changed.
        pub min_days: Option<i64>,
        /// Days after which it must be changed.
        pub max_days: Option<i64>,
        /// Days of warning.
        pub warn_days: Option<i64>,
        /// Days of inactivity after which the account is locked.
        pub inactive_days: Option<i64>,
        /// Day on which the account expires, in days since 1970-01-01.
        pub expires: Option<i64>,
        /// Line in /etc/shadow.
        pub line: i64,
    }
}
