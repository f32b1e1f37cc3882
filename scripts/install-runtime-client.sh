#!/bin/sh
# Lambda's own runtime interface client, in .build/: the built functions are tested in it. It is no package of the
# project, because its install script compiles a native sender for half a minute, which the tests replace.
set -eu
VERSION=4.0.2
folder=$(cd "$(dirname "$0")/.." && pwd)/.build/runtime-client
grep -qs "\"version\": \"$VERSION\"" "$folder/node_modules/aws-lambda-ric/package.json" ||
  npm install --prefix "$folder" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error "aws-lambda-ric@$VERSION"
