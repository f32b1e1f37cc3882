#!/bin/sh
# express-pouchdb, the CouchDB emulator of the tests, in .build/couchdb; done at once when it is there already.
set -eu
PACKAGES='express@4.21.2 express-pouchdb@4.2.0 pouchdb@9.0.0 pouchdb-adapter-memory@9.0.0'
folder=$(cd "$(dirname "$0")/.." && pwd)/.build/couchdb
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$PACKAGES" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  # shellcheck disable=SC2086 # a list
  npm install --prefix "$folder" --no-audit --no-fund --no-save --loglevel=error $PACKAGES >&2
  # Written last, so that an install that was cut off is made again.
  echo "$PACKAGES" >"$folder/installed"
fi
echo "$folder"
