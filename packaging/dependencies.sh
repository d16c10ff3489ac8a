#!/usr/bin/env bash
# The Debian packages this tree needs, in one place, and their installation. Sourced by packaging/quickstart.sh and tests/run.sh.
# Not here: what the packages of pgAnalytics itself depend on (packaging/debian).

# To compile. Without ccache a build works too, only slower the second time.
build_packages=(
  g++ cmake ninja-build pkg-config ccache
  libpq-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev libzstd-dev zlib1g-dev libjwt-dev libseccomp-dev
  libprotozero-dev libsnappy-dev
  rapidjson-dev libtomlplusplus-dev libboost-dev libboost-program-options-dev
)
# To run the programs beside a throwaway PostgreSQL.
run_packages=(postgresql curl jq ca-certificates)
# To run the tests.
test_packages=(catch2 debhelper faketime python3 python3-pytest python3-cryptography python3-jsonschema python3-yaml nghttp2-server binutils openssl procps sysstat sqlite3 valgrind abigail-tools clang
  prometheus victoria-metrics)  # real receivers of exported metrics
# To fetch the PostgreSQL majors that tests run on. npm comes from many places, and Debian's brings 350 packages and clashes with the others.
majors_packages=(jq)
command -v npm >/dev/null || majors_packages+=(npm)
# To check the sources and their coverage.
check_packages=(clang-format clang-tidy gcovr git)

# install_packages NAME...: installs what is missing, quietly; says what it does. Needs root only if something is missing.
install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "error: these packages are missing: ${missing[*]}" >&2
    echo "HINT: Install their equivalents; the names are Debian's." >&2
    return 1
  fi
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "error: installing ${missing[*]} needs root" >&2; echo "HINT: Run: apt-get install ${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  # Debian would create and start a database cluster with the server package; only its binaries are wanted here.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  local log; log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq &&
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
           -o Dpkg::Options::=--force-confold "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "error: installing packages failed; the whole output is in $log" >&2
    return 1
  fi
  rm -f "$log"
}

# configure_and_build PRESET TARGET...: cmake with ccache where there is one; silent unless it fails or somebody watches.
configure_and_build() {
  local preset=$1; shift
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
  cmake --preset "$preset" "${launcher[@]}" ${CMAKE_ARGUMENTS:-} >/dev/null
  local targets=(); [ $# -eq 0 ] || targets=(--target "$@")
  cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
}
