#!/usr/bin/env bash
# rpm-root.sh DIR: a small root with an rpm database that rpm itself wrote, with the identity of
# AlmaLinux 8. The packages are empty but for their names and versions. Needs root, rpm and rpmbuild.
set -euo pipefail
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$root"
root=$(realpath "$root")
build() { # name version release file...
  local name=$1 version=$2 release=$3
  shift 3
  {
    printf 'Name: %s\nVersion: %s\nRelease: %s\nSummary: %s\nLicense: none\nVendor: Example\nBuildArch: noarch\n' "$name" "$version" "$release" "$name"
    printf '%%description\n%s\n%%install\n' "$name"
    for file in "$@"; do printf 'mkdir -p %%{buildroot}%s; echo %s > %%{buildroot}%s\n' "$(dirname "$file")" "$name" "$file"; done
    printf '%%files\n'
    for file in "$@"; do printf '%s\n' "$file"; done
  } > "$work/$name.spec"
  SOURCE_DATE_EPOCH=1700000000 rpmbuild -bb --quiet \
    --define "_topdir $work" --define 'use_source_date_epoch_as_buildtime 1' \
    --define '_buildhost example' "$work/$name.spec"
}
build almalinux-release 8.10 1.el8 /usr/lib/almalinux-release
build openssh-server 8.0p1 24.el8 /usr/sbin/sshd
build polkit 0.115 11.el8 /usr/bin/pkexec
build glibc 2.28 251.el8_10.5 /usr/lib/libc.note
build freetype 2.9.1 9.el8 /usr/lib/libfreetype.note
build sudo 1.9.5p2 1.el8_10.1 /usr/bin/sudo
build bash 4.4.20 5.el8 /usr/bin/bash
rpm --root "$root" --initdb --define '_dbpath /var/lib/rpm' --define '_db_backend sqlite'
rpm --root "$root" -i --nodeps --noscripts --define '_dbpath /var/lib/rpm' --define '_db_backend sqlite' "$work"/RPMS/noarch/*.rpm
mkdir -p "$root/etc/ssh"
printf 'NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"\nPRETTY_NAME="AlmaLinux 8.10"\n' > "$root/etc/os-release"
printf 'root:x:0:0:root:/root:/bin/bash\n' > "$root/etc/passwd"
printf 'root:x:0:\n' > "$root/etc/group"
printf 'root:!:19700::::::\n' > "$root/etc/shadow"
chmod 000 "$root/etc/shadow"
printf 'PermitRootLogin no\nPasswordAuthentication no\n' > "$root/etc/ssh/sshd_config"
