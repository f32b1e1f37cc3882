import { join } from 'node:path';

interface Ports {
  readonly native: number;
  readonly storage: number;
  readonly encrypted: number;
}

const EXPORTS = [
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.ref',
  'java.base/java.lang.ref',
  'java.base/sun.nio.ch',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.rmi/sun.rmi.transport.tcp',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
];
const OPENS = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.net',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.management/com.sun.management.internal',
];

/** Where the node's log goes: to its output. */
export const LOGBACK = `<configuration>
<appender name="S" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="S"/></root>
</configuration>
`;

/** The configuration of a node on its own, with logins and rights, that may make materialized views. */
export function cassandraYaml(folder: string, { native, storage, encrypted }: Ports): string {
  return `cluster_name: test
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
data_file_directories: [${folder}/data]
commitlog_directory: ${folder}/commitlog
hints_directory: ${folder}/hints
saved_caches_directory: ${folder}/saved_caches
cdc_raw_directory: ${folder}/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 16MiB
commitlog_total_space: 256MiB
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
native_transport_port: ${native}
storage_port: ${storage}
ssl_storage_port: ${encrypted}
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{seeds: "127.0.0.1:${storage}"}]
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
# A right that is taken away counts at once.
permissions_validity: 0ms
roles_validity: 0ms
auto_bootstrap: false
auto_snapshot: false
concurrent_reads: 8
concurrent_writes: 8
concurrent_compactors: 1
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
file_cache_size: 32MiB
networking_cache_size: 16MiB
materialized_views_enabled: true
`;
}

/** All that follows `java`. */
export function javaOptions(folder: string, library: string, agent: string): string[] {
  const all = (option: string, names: readonly string[]) => names.flatMap((name) => [option, `${name}=ALL-UNNAMED`]);
  return [
    '-Xms512m',
    '-Xmx768m',
    '-Xss512k',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    `-javaagent:${agent}`,
    '-Djdk.attach.allowAttachSelf=true',
    ...all('--add-exports', EXPORTS),
    ...all('--add-opens', OPENS),
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Djava.net.preferIPv4Stack=true',
    `-Djna.tmpdir=${folder}`,
    `-Djava.io.tmpdir=${folder}`,
    `-Dcassandra.config=file://${join(folder, 'conf/cassandra.yaml')}`,
    `-Dlogback.configurationFile=file:${join(folder, 'conf/logback.xml')}`,
    `-Dcassandra.storagedir=${folder}`,
    '-Dcassandra-foreground=yes',
    '-Dcassandra.ring_delay_ms=1',
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.superuser_setup_delay_ms=0',
    '-cp',
    join(library, '*'),
    'org.apache.cassandra.service.CassandraDaemon',
  ];
}
