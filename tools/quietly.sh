#!/usr/bin/env bash
# quietly.sh PURPOSE COMMAND...: runs the command and says what for and how long it took; what the command itself said is
# shown only when it failed, and then all of it.
set -euo pipefail

purpose=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

printf '%s … ' "$purpose"
if "$@" >"$log" 2>&1 </dev/null; then
  printf '%s s\n' "$SECONDS"
else
  code=$?
  printf 'failed\n'
  cat "$log"
  exit "$code"
fi
