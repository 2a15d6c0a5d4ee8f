#!/usr/bin/env bash
# debian.sh SUITE DIR: a Debian server as debootstrap makes it. Needs root and debootstrap.
set -euo pipefail
suite=$1 root=$2
debootstrap --variant=minbase \
  --include=openssh-server,sudo,cron,rsyslog,auditd,libpam-pwquality,systemd,systemd-sysv,iproute2,procps,ufw,apparmor,aide,chrony,passwd,linux-base \
  "$suite" "$root"
