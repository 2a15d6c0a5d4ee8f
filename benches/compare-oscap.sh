#!/usr/bin/env bash
# compare-oscap.sh ASSAY CHROOT ROOT [PROFILE]: user time and memory of whole processes, assay and oscap,
# side by side over one root of Debian 12. CHROOT is a directory with oscap and its content:
#   debootstrap --variant=minbase --include=openscap-scanner,ssg-debian trixie CHROOT
# The content has no profile of CIS, so oscap evaluates the profile with the most rules that it has;
# assay collects the root and evaluates CIS Level 2 - Server. How many verdicts each gave is told
# beside, and results are read, so that a run which evaluated nothing is not taken for a fast one.
# Needs root rights (a mount namespace and chroot) and GNU time.
set -euo pipefail
assay=$(realpath "$1") chroot=$(realpath "$2") root=$(realpath "$3")
profile=${4:-xccdf_org.ssgproject.content_profile_anssi_bp28_high}
content=/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml
work=$(mktemp -d -p "$chroot/tmp")
trap 'rm -rf "$work"' EXIT
inside=${work#"$chroot"}
mkdir "$work/root"

for run in 1 2 3; do
  code=0
  # shellcheck disable=SC2016
  /usr/bin/time -q -f '%U %S %e %M' -o "$work/oscap.time" unshare --mount sh -c \
    'mount --rbind "$1" "$2" && mount -t proc proc "$3/proc" && shift 2 && exec chroot "$@"' \
    sh "$root" "$work/root" "$chroot" env OSCAP_PROBE_ROOT="$inside/root" oscap xccdf eval \
    --profile "$profile" --results "$inside/results.xml" "$content" >/dev/null 2>"$work/said" || code=$?
  # 2 says that a rule failed.
  [ "$code" = 0 ] || [ "$code" = 2 ] || { cat "$work/said" >&2; exit 1; }
  theirs=$(grep -cE '<result>(pass|fail|notapplicable|unknown|error)</result>' "$work/results.xml")
  /usr/bin/time -q -f '%U %S %e %M' -o "$work/assay.time" "$assay" scan --root "$root" --package cis \
    --profile 'Level 2 - Server' --outcomes --format ndjson --fail-on none -o "$work/results.ndjson"
  ours=$(grep -c '"type":"outcome"' "$work/results.ndjson")
  [ "$theirs" -gt 0 ] && [ "$ours" -gt 0 ]
  awk -v run="$run" -v theirs="$theirs" -v ours="$ours" '
    { user[NR] = $1; sys[NR] = $2; wall[NR] = $3; kb[NR] = $4 }
    END {
      printf "run %d\n", run
      printf "  oscap  %4d verdicts  %6.2f s user  %6.2f s system  %6.2f s  %7.1f MB\n", theirs, user[1], sys[1], wall[1], kb[1] / 1024
      printf "  assay  %4d verdicts  %6.2f s user  %6.2f s system  %6.2f s  %7.1f MB\n", ours, user[2], sys[2], wall[2], kb[2] / 1024
      if (user[2] > 0) printf "  ratio  user time %.0f, memory %.1f\n", user[1] / user[2], kb[1] / kb[2]
    }' "$work/oscap.time" "$work/assay.time"
done
