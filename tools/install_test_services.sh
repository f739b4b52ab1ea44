#!/usr/bin/env bash
# Installs what the tests need and Python cannot bring, from the system's packages, where it is missing: PostgreSQL 15 or
# newer with PostGIS 3, and Redis 7 or newer. Starts nothing: the tests run servers of their own.
set -euo pipefail
shopt -s nullglob

has_postgis() {
  local folder version
  for folder in /usr/lib/postgresql/*/bin; do
    version=$(basename "${folder%/bin}")
    if ((${version%%.*} >= 15)) && [[ -x $folder/initdb && -e /usr/share/postgresql/$version/extension/postgis.control ]]; then
      return 0
    fi
  done
  return 1
}

has_redis() {
  command -v redis-server >/dev/null && redis-server --version | grep -Eq 'v=([7-9]|[1-9][0-9])\.'
}

missing() {
  local names=()
  has_postgis || names+=('PostgreSQL 15 with PostGIS 3')
  has_redis || names+=('Redis 7')
  local IFS=,
  echo "${names[*]/#/ }"
}

fail() {
  printf 'The tests need%s. %s.\nOn Debian and Ubuntu: apt-get install postgresql-15-postgis-3 redis-server\n' \
    "$(missing)" "$1" >&2
  exit 1
}

[[ -n $(missing) ]] || exit 0

as_root=()
if ! command -v apt-get >/dev/null; then
  fail 'This system has no apt-get: please install them by hand'
elif ((EUID != 0)); then
  as_root=(sudo -n)
  "${as_root[@]}" true 2>/dev/null || fail 'This user is not root and has no sudo without a password: please install them'
fi

echo "Installing$(missing) from the system's packages"
log=$(mktemp)
denial=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/cleanair-tests.conf
passing=("$no_cluster")
trap 'rm -f "$log"; "${as_root[@]}" rm -f "${passing[@]}"' EXIT

# Packages of servers start a system service and make a database cluster; the tests want neither.
"${as_root[@]}" mkdir -p "$(dirname "$no_cluster")"
echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
if [[ ! -e $denial ]]; then
  passing+=("$denial")
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$denial" >/dev/null
  "${as_root[@]}" chmod +x "$denial"
fi

apt_get() {
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
    cat "$log" >&2
    fail 'apt-get could not install them; its message stands above'
  fi
}

apt_get update
packages=()
if ! has_postgis; then
  # Which release of PostgreSQL there is depends on the system's; the PostGIS package brings the server.
  packages+=("$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | cut -d' ' -f1 | sort -V | tail -n 1)")
fi
has_redis || packages+=(redis-server)
apt_get install --yes --no-install-recommends "${packages[@]}"
[[ -z $(missing) ]] || fail "This system's packages are too old: please install newer ones"
