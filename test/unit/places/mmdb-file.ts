type Data = string | number | readonly Data[] | { readonly [name: string]: Data };

/** Writes a small MaxMind DB (format 2.0, 24-bit records): networks such as `1.2.3.0/24` to their record. */
export function mmdbFile(networks: { readonly [network: string]: Data }, ipVersion: 4 | 6 = 6): Buffer {
  const nodes: [Branch, Branch][] = [[undefined, undefined]];
  const records: Buffer[] = [];
  let size = 0;
  for (const [network, record] of Object.entries(networks)) {
    insert(nodes, bitsOf(network, ipVersion), { data: size });
    const encoded = encode(record);
    records.push(encoded);
    size += encoded.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, node] of nodes.entries()) {
    for (const side of [0, 1] as const) tree.writeUIntBE(pointer(node[side], nodes.length), index * 6 + side * 3, 3);
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: 'Test',
    description: { en: 'for tests' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...records,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata,
  ]);
}

type Branch = undefined | number | { readonly data: number };

function insert(nodes: [Branch, Branch][], bits: readonly (0 | 1)[], leaf: Branch): void {
  let at = 0;
  for (const [depth, bit] of bits.entries()) {
    const node = nodes[at];
    if (node === undefined) throw new Error('the tree is broken');
    if (depth === bits.length - 1) node[bit] = leaf;
    else {
      const next = node[bit];
      if (typeof next === 'number') at = next;
      else {
        node[bit] = nodes.length;
        at = nodes.length;
        nodes.push([undefined, undefined]);
      }
    }
  }
}

function pointer(branch: Branch, nodeCount: number): number {
  if (branch === undefined) return nodeCount;
  return typeof branch === 'number' ? branch : nodeCount + 16 + branch.data;
}

/** IPv4 lies at `::/96` of a tree for IPv6. */
function bitsOf(network: string, ipVersion: 4 | 6): (0 | 1)[] {
  const [address = '', prefix = ''] = network.split('/');
  const isIpv4 = !address.includes(':');
  const bytes = isIpv4 ? address.split('.').map(Number) : ipv6Bytes(address);
  const bits = bytes.flatMap((byte) => [...byte.toString(2).padStart(8, '0')].map((bit) => (bit === '1' ? 1 : 0)));
  const cut = bits.slice(0, Number(prefix));
  return isIpv4 && ipVersion === 6 ? [...new Array<0>(96).fill(0), ...cut] : cut;
}

function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [before, after] = [words(left), words(right)];
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return all.flatMap((word) => [word >> 8, word & 255]);
}

function encode(value: Data): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0)) {
    const double = Buffer.alloc(8);
    double.writeDoubleBE(value);
    return Buffer.concat([control(3, 8), double]);
  }
  if (typeof value === 'number') {
    const integer = Buffer.alloc(4);
    integer.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), integer]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([name, part]) => [encode(name), encode(part)]),
  ]);
}

function control(type: number, size: number): Buffer {
  const [low, further] = size < 29 ? [size, []] : [29, [size - 29]];
  return type > 7 ? Buffer.from([low, type - 7, ...further]) : Buffer.from([(type << 5) | low, ...further]);
}
