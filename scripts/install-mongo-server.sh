#!/bin/sh
# mongo-java-server, the MongoDB emulator of the tests, in .build/mongo-server; done at once when it is there already.
# Needs a JDK (17 or later) and Maven.
set -eu
VERSION=1.47.0
root=$(cd "$(dirname "$0")/.." && pwd)
source=$root/test/servers/mongo-server
folder=$root/.build/mongo-server
if [ ! -f "$folder/installed-$VERSION" ] || [ "$source/MongoServerMain.java" -nt "$folder/installed-$VERSION" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  mvn --batch-mode --quiet --file "$source/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$folder/lib"
  javac -cp "$folder/lib/*" -d "$folder/classes" "$source/MongoServerMain.java"
  touch "$folder/installed-$VERSION"
fi
echo "$folder"
