#!/usr/bin/env bash
# all.sh WORK [ASSAY]: makes every sample snapshot. Needs root, debootstrap, rpm and rpmbuild; WORK is a
# directory for the roots, and roots that are there already are used again.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
work=$1
assay=${2:-assay}
mkdir -p "$work"
[ -d "$work/debian-12" ] || "$here/debian.sh" bookworm "$work/debian-12"
[ -d "$work/debian-13" ] || "$here/debian.sh" trixie "$work/debian-13"
for name in debian-12-hardened debian-12-planted; do
  rm -rf "${work:?}/$name"
  cp -a "$work/debian-12" "$work/$name"
done
"$here/harden-debian-12.sh" "$work/debian-12-hardened"
"$here/plant.sh" "$work/debian-12-planted"
rm -rf "$work/almalinux-8"
"$here/rpm-root.sh" "$work/almalinux-8"
for name in debian-12 debian-12-hardened debian-12-planted debian-13 almalinux-8; do
  "$here/neutral.sh" "$work/$name" "$name"
  "$assay" collect --root "$work/$name" --tag "sample=$name" -o "$here/../$name.assay"
done
