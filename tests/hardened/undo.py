#!/usr/bin/env python3
"""Undoes one thing at a time in a hardened root of Debian 12: what depends on it must fail, and
nothing else.

    undo.py --assay BINARY ROOT

ROOT is a root after snapshots/make/harden-debian-12.sh, on which every recommendation of Level 2 -
Server that applies passes. Each change is taken back before the next one. Needs root rights.
"""

import argparse
import json
import os
import pathlib
import re
import stat
import subprocess
import sys


def edit(pattern, to):
    def change(path):
        text = path.read_text()
        new = re.sub(pattern, to, text, flags=re.MULTILINE)
        assert new != text, f"{path} does not have {pattern}"
        path.write_text(new)
    return change


def add(text):
    return lambda path: path.write_text((path.read_text() if path.exists() else "") + text)


def before(text):
    return lambda path: path.write_text(text + path.read_text())


def mode(bits):
    def change(path):
        path.touch()
        path.chmod(bits)
    return change


def owner(id):
    def change(path):
        path.touch()
        os.chown(path, id, 0)
    return change


def remove(path):
    path.unlink()


def mask(path):
    path.symlink_to("/dev/null")


SSHD = "etc/ssh/sshd_config"
QUALITY = "etc/security/pwquality.conf"
LOCK = "etc/security/faillock.conf"
PASSWORD = "etc/pam.d/common-password"
DEFS = "etc/login.defs"
GRUB = "etc/default/grub"
SUDO = "etc/sudoers.d/60-hardening"
AUDIT = "etc/audit/rules.d/50-hardening.rules"
AUDITD = "etc/audit/auditd.conf"
LATER = "etc/sysctl.d/99-later.conf"
UNITS = "etc/systemd/system/"
FSTAB = "etc/fstab"

# What is changed, how, and the recommendations that fail then.
CHANGES = [
    (FSTAB, edit("^(.* /home .*),nosuid", r"\1"), "1.1.2.3.3"),
    (FSTAB, edit("^(.* /tmp .*),noexec", r"\1"), "1.1.2.1.4"),
    (FSTAB, edit("^(.* /var/log/audit .*)nodev,", r"\1"), "1.1.2.7.2"),
    (GRUB, edit("security=apparmor ", ""), "1.3.1.2"),
    (GRUB, edit("audit=1", "audit=1 audit=0"), "6.2.1.3"),
    (GRUB, edit("8192", "64"), "6.2.1.4"),
    (LATER, add("kernel.randomize_va_space = 1\n"), "1.5.1"),
    (LATER, add("-kernel/yama/ptrace_scope=0\n"), "1.5.2"),
    (LATER, add("fs.suid_dumpable=2\n"), "1.5.3"),
    ("etc/security/limits.d/60-core.conf", remove, "1.5.3"),
    ("etc/issue", add("\\s\n"), "1.6.2"),
    ("etc/issue.net", mode(0o646), "1.6.6 7.1.11"),
    ("etc/crontab", mode(0o640), "2.4.1.2"),
    ("etc/cron.allow", remove, "2.4.1.8"),
    (UNITS + "cron.service", mask, "2.4.1.1"),
    (LATER, add("net.ipv4.ip_forward=1\n"), "3.3.1"),
    (LATER, add("net.ipv4.conf.default.send_redirects=1\n"), "3.3.2"),
    (LATER, add("net/ipv4/icmp_ignore_bogus_error_responses = 0\n"), "3.3.3"),
    (LATER, add("net.ipv4.icmp_echo_ignore_broadcasts=0\n"), "3.3.4"),
    (LATER, add("net.ipv6.conf.all.accept_redirects=1\n"), "3.3.5"),
    (LATER, add("net.ipv4.conf.all.secure_redirects=1\n"), "3.3.6"),
    (LATER, add("net.ipv4.conf.all.rp_filter=0\n"), "3.3.7"),
    (LATER, add("net.ipv4.conf.all.accept_source_route=1\n"), "3.3.8"),
    (LATER, add("net.ipv4.conf.all.log_martians=0\n"), "3.3.9"),
    (LATER, add("net.ipv4.tcp_syncookies=0\n"), "3.3.10"),
    (LATER, add("net.ipv6.conf.default.accept_ra=1\n"), "3.3.11"),
    ("etc/nftables.conf", edit("hook forward priority filter; policy drop", "hook forward priority filter; policy accept"), "4.3.8"),
    ("etc/nftables.conf", edit("^.*iif lo accept\n", ""), "4.3.6"),
    (SSHD, mode(0o640), "5.1.1"),
    (SSHD, edit("^AllowGroups.*", ""), "5.1.4"),
    (SSHD, edit("^Banner.*", ""), "5.1.5"),
    (SSHD, before("Ciphers +3des-cbc\n"), "5.1.6"),
    (SSHD, edit("^ClientAliveInterval.*", ""), "5.1.7"),
    (SSHD, add("Match User x\nDisableForwarding no\n"), "5.1.8"),
    (SSHD, before("GSSAPIAuthentication yes\n"), "5.1.9"),
    (SSHD, before("HostbasedAuthentication yes\n"), "5.1.10"),
    (SSHD, before("IgnoreRhosts=no\n"), "5.1.11"),
    (SSHD, before("KexAlgorithms ^diffie-hellman-group1-sha1\n"), "5.1.12"),
    (SSHD, before("LoginGraceTime 1m1s\n"), "5.1.13"),
    (SSHD, before("LogLevel QUIET\n"), "5.1.14"),
    (SSHD, edit("^MACs.*", ""), "5.1.15"),
    (SSHD, before("MaxAuthTries 5\n"), "5.1.16"),
    (SSHD, before("MaxSessions 11\n"), "5.1.17"),
    (SSHD, edit("^MaxStartups.*", ""), "5.1.18"),
    (SSHD, before("PermitEmptyPasswords yes\n"), "5.1.19"),
    (SSHD, add("Match all\nPermitRootLogin prohibit-password\n"), "5.1.20"),
    (SSHD, before("permituserenvironment \"yes\"\n"), "5.1.21"),
    (SSHD, edit("^UsePAM.*", ""), "5.1.22"),
    (SUDO, add("Defaults !use_pty\n"), "5.2.2"),
    (SUDO, edit("^Defaults logfile.*", ""), "5.2.3"),
    (SUDO, add("%sudo ALL=(ALL) NOPASSWD: ALL\n"), "5.2.4"),
    (SUDO, add("Defaults:bob !authenticate\n"), "5.2.5"),
    (SUDO, add("Defaults timestamp_timeout=16\n"), "5.2.6"),
    ("etc/group", edit("^(su-users:.*:)$", r"\1daemon"), "5.2.7"),
    ("etc/pam.d/su", edit("^auth required pam_wheel.*", ""), "5.2.7"),
    ("etc/pam.d/common-account", edit("^.*pam_faillock.*", ""), "5.3.2.2"),
    (LOCK, edit("^deny = 4", "deny = 5"), "5.3.3.1.1"),
    (LOCK, edit("^unlock_time.*", "unlock_time = 899"), "5.3.3.1.2"),
    (LOCK, edit("^even_deny_root", ""), "5.3.3.1.3"),
    (QUALITY, edit("^difok.*", ""), "5.3.3.2.1"),
    (QUALITY, add("minlen=13\n"), "5.3.3.2.2"),
    (QUALITY, edit("^dcredit.*", ""), "5.3.3.2.3"),
    (QUALITY, edit("^maxrepeat.*", "maxrepeat = 0"), "5.3.3.2.4"),
    (QUALITY, edit("^maxsequence.*", ""), "5.3.3.2.5"),
    (QUALITY, add("dictcheck = 0\n"), "5.3.3.2.6"),
    (QUALITY, add("enforcing = 0\n"), "5.3.3.2.7"),
    (QUALITY, edit("^enforce_for_root", ""), "5.3.3.2.8"),
    (PASSWORD, edit("remember=24", "remember=23"), "5.3.3.3.1"),
    (PASSWORD, edit("enforce_for_root ", ""), "5.3.3.3.2"),
    (PASSWORD, edit("^(.*pwhistory.*) use_authtok", r"\1"), "5.3.3.3.3"),
    ("etc/pam.d/common-auth", edit("pam_unix.so", "pam_unix.so nullok"), "5.3.3.4.1"),
    (PASSWORD, edit("yescrypt", "yescrypt remember=5"), "5.3.3.4.2"),
    (PASSWORD, edit("yescrypt", "md5"), "5.3.3.4.3"),
    (PASSWORD, edit("obscure use_authtok", "obscure"), "5.3.3.4.4"),
    (DEFS, edit("^PASS_MAX_DAYS.*", "PASS_MAX_DAYS 366"), "5.4.1.1"),
    (DEFS, edit("^PASS_MIN_DAYS.*", ""), "5.4.1.2"),
    (DEFS, edit("^PASS_WARN_AGE.*", "PASS_WARN_AGE 6"), "5.4.1.3"),
    (DEFS, edit("^ENCRYPT_METHOD.*", "ENCRYPT_METHOD MD5"), "5.4.1.4"),
    ("etc/default/useradd", edit("^INACTIVE=.*", ""), "5.4.1.5"),
    ("etc/passwd", add("x:x:5000:0::/home/x:/usr/sbin/nologin\n"), "5.4.2.2"),
    ("etc/group", add("x:x:0:\n"), "5.4.2.3 7.2.6"),
    ("root/.bashrc", add("PATH=.:$PATH\n"), "5.4.2.5"),
    ("root/.bashrc", add("umask 022\n"), "5.4.2.6"),
    ("etc/passwd", edit("^(daemon:.*):/usr/sbin/nologin", r"\1:/bin/sh"), "5.4.2.7 7.2.9"),
    ("etc/shells", add("/usr/sbin/nologin\n"), "5.4.3.1"),
    ("etc/profile.d/50-timeout.sh", edit("900", "901"), "5.4.3.2"),
    (DEFS, edit("^UMASK.*", "UMASK 022"), "5.4.3.3"),
    (UNITS + "systemd-journald.service", mask, "6.1.1.1"),
    (UNITS + "auditd.service", mask, "6.2.1.2"),
    (AUDITD, edit("^max_log_file_action.*", "max_log_file_action = rotate"), "6.2.2.2"),
    (AUDITD, edit("^disk_full_action.*", "disk_full_action = suspend"), "6.2.2.3"),
    (AUDITD, edit("^space_left_action.*", "space_left_action = syslog"), "6.2.2.4"),
    (AUDIT, edit("^-w /etc/sudoers -p wa.*", "-w /etc/sudoers -p r"), "6.2.3.1"),
    (AUDIT, edit("^.*arch=b32 -C euid.*", ""), "6.2.3.2"),
    (AUDIT, edit("^.*sudo.log.*", ""), "6.2.3.3"),
    (AUDIT, edit("^(.*arch=b64 -S) adjtimex,settimeofday", r"\1 adjtimex"), "6.2.3.4"),
    (AUDIT, edit("^-w /etc/hosts .*", ""), "6.2.3.5"),
    (AUDIT, edit("^.*path=/usr/bin/su .*", ""), "6.2.3.6"),
    (AUDIT, edit("^(.*arch=b32.*exit=-EPERM)", r"\1 -F uid=5"), "6.2.3.7"),
    (AUDIT, edit("^-w /etc/shadow .*", ""), "6.2.3.8"),
    (AUDIT, edit("fchownat", "fchownat -F path=/x"), "6.2.3.9"),
    (AUDIT, edit("^.*arch=b32 -S mount.*", ""), "6.2.3.10"),
    (AUDIT, edit("^.*/var/log/btmp.*", ""), "6.2.3.11"),
    (AUDIT, edit("^.*/var/run/faillock.*", ""), "6.2.3.12"),
    (AUDIT, edit("unlink,unlinkat,rename,renameat", "unlinkat,rename,renameat"), "6.2.3.13"),
    (AUDIT, edit("^-w /etc/apparmor.d .*", ""), "6.2.3.14"),
    (AUDIT, edit("^.*chcon.*", ""), "6.2.3.15"),
    (AUDIT, edit("^.*delete_module.*", ""), "6.2.3.19"),
    ("etc/audit/rules.d/99-finalize.rules", remove, "6.2.3.20"),
    (AUDIT, mode(0o644), "6.2.4.5"),
    ("var/lib/aide/aide.db", remove, "6.3.1"),
    ("etc/aide/aide.conf", edit("^/sbin/augenrules.*", ""), "6.3.3"),
    ("etc/passwd", mode(0o664), "7.1.1"),
    ("etc/shadow", mode(0o644), "7.1.5"),
    ("srv/open", mode(0o666), "7.1.11"),
    ("srv/nobodys", owner(54321), "7.1.12"),
    ("etc/passwd", edit("^daemon:x:", "daemon:abc:"), "5.4.2.8 7.2.1"),
    ("etc/passwd", edit("^(games:x:[0-9]+):[0-9]+:", r"\1:59999:"), "7.2.3"),
    ("etc/group", edit("^(shadow:x:[0-9]+:)", r"\1games"), "7.2.4"),
    ("etc/passwd", add("x:x:1:1::/:/usr/sbin/nologin\n"), "7.2.5"),
    ("etc/group", add("x:x:1:\n"), "7.2.6"),
    ("etc/passwd", add("daemon:x:4001:1::/:/usr/sbin/nologin\n"), "7.2.7"),
    ("etc/group", add("bin:x:4001:\n"), "7.2.8"),
    ("root/.netrc", mode(0o644), "7.2.10"),
]


def verdicts(binary, root):
    run = subprocess.run(
        [binary, "scan", "--root", root, "--package", "cis", "--profile", "Level 2 - Server",
         "--format", "ndjson", "--outcomes", "--fail-on", "none"],
        capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["recommendation"]: line["verdict"] for line in lines if line["type"] == "outcome"}


def restored(path, saved):
    """Makes the file what it was; none where it was not there."""
    path.unlink(missing_ok=True)
    if saved is not None:
        text, status = saved
        path.write_bytes(text)
        os.chown(path, status.st_uid, status.st_gid)
        path.chmod(stat.S_IMODE(status.st_mode))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assay", required=True, type=pathlib.Path)
    parser.add_argument("root", type=pathlib.Path)
    options = parser.parse_args()

    hardened = verdicts(options.assay.resolve(), options.root)
    wrong = [f"hardened: {name} is {verdict}" for name, verdict in hardened.items()
             if verdict not in ("pass", "not_applicable")]
    for name, change, expected in CHANGES:
        path = options.root / name
        saved = (path.read_bytes(), path.stat()) if path.exists() else None
        try:
            change(path)
            changed = verdicts(options.assay.resolve(), options.root)
        finally:
            restored(path, saved)
        got = sorted(name for name in changed if changed[name] != hardened[name])
        failing = all(changed[name] == "fail" for name in got)
        if got != sorted(expected.split()) or not failing:
            said = {name: changed[name] for name in got}
            wrong.append(f"{name}: expected {expected or 'nothing'} to fail, changed: {said}")
    print(*wrong, f"{len(hardened)} recommendations, {len(CHANGES)} changes, {len(wrong)} wrong", sep="\n")
    sys.exit(1 if wrong else 0)


main()
