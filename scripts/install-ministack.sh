#!/bin/sh
# MiniStack, the AWS emulator of the tests, in a virtual environment of its own; done at once when it is there already.
# The folder is $MINISTACK_VENV, else .build/ministack of the checkout. Needs Python 3.10 or later with venv.
set -eu
VERSION=1.5.33
venv=${MINISTACK_VENV:-$(cd "$(dirname "$0")/.." && pwd)/.build/ministack}
installed() { "$venv/bin/python3" -c "
import sys, boto3
from importlib.metadata import version
sys.exit(version('ministack') != '$VERSION')" 2>/dev/null; }

if ! installed; then
  python3 -m venv --clear "$venv"
  # boto3: Python functions that CDK adds to a stack, such as those for bucket notifications, need it.
  "$venv/bin/pip" --quiet --disable-pip-version-check install "ministack==$VERSION" boto3
  installed || { echo "ministack $VERSION could not be installed into $venv" >&2; exit 1; }
fi
echo "$venv/bin/ministack"
