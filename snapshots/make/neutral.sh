#!/usr/bin/env bash
# neutral.sh DIR NAME: takes away what tells where a root was made.
set -euo pipefail
root=$1 name=$2
echo "$name" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" > "$root/etc/hosts"
: > "$root/etc/resolv.conf"
if [ -d "$root/etc/apt" ]; then
  rm -rf "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d/"*proxy*
  echo "deb http://archive.example/debian stable main" > "$root/etc/apt/sources.list"
fi
printf '%s' "$name" | sha256sum | cut -c1-32 > "$root/etc/machine-id"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/ssh/ssh_host_*
