import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from './command-line';

let folder: string;
const right = {
  name: 'shop',
  type: 'postgresql',
  connection: { host: 'db.company.com', database: 'analytics', username: 'reader', password: '${SHOP_PASSWORD}' },
};

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explorerio-files-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a right file passes, also with a byte order mark', async () => {
  const env = { SHOP_PASSWORD: 'secret-of-the-shop' };
  const { code, out } = await commandLine(['validate', write('a.json', `\ufeff${JSON.stringify(right)}`)], { env });
  expect(out).toMatch(/a\.json: shop is right\n$/);
  expect(out).not.toContain('warning');
  expect(code).toBe(0);
});

it('a reference that is not set here is a warning that names it', async () => {
  const { code, out } = await commandLine(['validate', write('a.json', right)]);
  expect(out).toMatch(/warning: .*a\.json: connection\.password: SHOP_PASSWORD is not set/);
  expect(code).toBe(0);
});

it('every wrong field of every file is reported with file and path', async () => {
  const first = write('a.json', { ...right, sync_setings: {}, connection: { ...right.connection, port: 'x' } });
  const second = write('b.json', { ...right, name: 'no spaces please' });
  const { code, out } = await commandLine(['validate', first, second]);
  expect(out).toMatch(/a\.json: sync_setings: unknown key; did you mean "sync_settings"\?/);
  expect(out).toMatch(/a\.json: connection\.port: /);
  expect(out).toMatch(/b\.json: name: /);
  expect(code).toBe(2);
});

it.each([
  ['{\n  "name": "shop",\n  "type" "postgresql"\n}', '3:10', 'expected :'],
  ['{\n  "name": "shop",\n}', '3:1', 'expected name'],
  ['{ "a": 1, // why\n}', '1:11', ''],
  ['', '1:1', 'ends where value is expected'],
])('a file that is not JSON is reported by line and column: %j', async (text, place, message) => {
  const { code, out } = await commandLine(['validate', write('a.json', text)]);
  expect(out).toContain(`a.json:${place}: not JSON: `);
  expect(out).toContain(message);
  expect(code).toBe(2);
});

it('the text of a broken file, which may hold secrets, is not repeated', async () => {
  const { out } = await commandLine(['validate', write('a.json', '{ "password": "hunter2-hunter2" "x" }')]);
  expect(out).not.toContain('hunter2');
});

it('a folder stands for its *.json files', async () => {
  mkdirSync(join(folder, 'sub'));
  write('sub/b.json', { ...right, name: 'b' });
  write('sub/a.json', { ...right, name: 'a' });
  write('sub/notes.txt', 'not JSON');
  const { code, out } = await commandLine(['validate', join(folder, 'sub')]);
  expect(out).toMatch(/a\.json: a is right\n.*b\.json: b is right\n$/);
  expect(code).toBe(0);
});

it('two files of one name, missing files and empty folders are errors', async () => {
  const same = [write('a.json', right), write('b.json', right)];
  mkdirSync(join(folder, 'empty'));
  const missing = join(folder, 'none.json');
  const { code, out } = await commandLine(['validate', ...same, missing, join(folder, 'empty')]);
  expect(out).toMatch(/b\.json: name: "shop" is also the name in .*a\.json/);
  expect(out).toContain(`${missing}: there is no such file or folder`);
  expect(out).toMatch(/empty: the folder has no \*\.json file/);
  expect(code).toBe(2);
});

it('is told to programs as JSON', async () => {
  const file = write('a.json', '{');
  const { code, out } = await commandLine(['validate', file, '--json']);
  expect(JSON.parse(out)).toEqual({
    valid: false,
    documents: [],
    problems: [{ file, path: '1:2', message: expect.stringContaining('not JSON') }],
  });
  expect(code).toBe(2);
});

it('a document of an unknown type names the type', async () => {
  const { out, code } = await commandLine(['validate', write('a.json', { ...right, type: 'postgres' })]);
  expect(out).toMatch(/a\.json: type: .*postgres/);
  expect(code).toBe(2);
});

it('a file that may not be read is an error of that file', async () => {
  if (process.getuid?.() === 0) return; // root may read everything
  const file = write('a.json', right);
  chmodSync(file, 0);
  expect((await commandLine(['validate', file])).out).toContain('this user may not read it');
});
