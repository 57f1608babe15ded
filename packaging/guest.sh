#!/bin/sh
# Makes the machine's images of a release: guest.sh KEY ADDRESS OUT [--also PUBLIC-KEY]
#   KEY      an ed25519 private key (PEM) outside of the source tree: openssl genpkey -algorithm ed25519 -aes256 -out KEY
#   ADDRESS  where the files of OUT will lie, as https://example.org/releases/download/1.0
# Builds both images, signs them, lays them out in OUT, and writes vm/guest/release.json, which goes into the packages.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 3 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
key=$1 address=$2 out=$3
shift 3
for arch in amd64 arm64; do
  make --no-print-directory guest ARCH=$arch
done
exec .venv/bin/python -m vm.guest publish --key "$key" --base "$address" --out "$out" "$@" build/guest/amd64 build/guest/arm64
