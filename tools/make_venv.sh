#!/usr/bin/env bash
# make_venv.sh [PYTHON]: makes .venv with the given Python, or with the first Python 3.11 on the PATH.
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 1
}

# Prints the version of an interpreter as 3.11; nothing when it does not run.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

found=''
for candidate in ${1:-python3.11 python3 python}; do
  version=$(version_of "$candidate")
  if [[ $version == 3.11 ]]; then
    python=$candidate
    break
  fi
  found+=${version:+, $candidate is $version}
done
[[ -n ${python:-} ]] || fail "CleanAir Route needs Python 3.11, and found none${found:+ (${found:2})}: \
install it, or name it with PYTHON=/path/to/python3.11."

"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module, which CleanAir Route needs: \
install it (Debian and Ubuntu: apt-get install python3.11-venv)."

exec "$(dirname "$0")/quietly.sh" 'Installing 1/3: a virtual environment in .venv' "$python" -m venv --clear .venv
