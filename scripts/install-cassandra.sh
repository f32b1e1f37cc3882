#!/bin/sh
# Apache Cassandra for the tests, as its jars from Maven; done at once when they are there already.
# The folder is $CASSANDRA_HOME, else .build/cassandra of the checkout. Needs Maven, and Java 17 (or 11) to run.
set -eu
VERSION=5.0.9
folder=${CASSANDRA_HOME:-$(cd "$(dirname "$0")/.." && pwd)/.build/cassandra}

if [ "$(cat "$folder/installed" 2>/dev/null)" != "$VERSION" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  cat >"$folder/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>explorerio</groupId><artifactId>cassandra</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>$VERSION</version>
    </dependency>
  </dependencies>
</project>
POM
  # The version is written last, so that an install that was cut off is made again.
  mvn -B -q -f "$folder/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$folder/lib"
  echo "$VERSION" >"$folder/installed"
fi
echo "$folder/lib"
