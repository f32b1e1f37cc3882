import type { SearchRequest, SearchResult } from '../../lib/core/search';
import { commandLine, connectionTo } from './command-line';

const found: SearchResult = {
  hits: [
    {
      integration: 'shop',
      stream: 'books',
      key: { bookId: '1', lang: 'de' },
      match: 'similar',
      score: 0.9,
      highlights: [
        {
          field: 'Title',
          parts: [
            { text: 'Elektronik', match: true },
            { text: ' in\nMünchen \u001b[31m', match: false },
          ],
        },
      ],
      record: { Title: 'Elektronik in München' },
    },
  ],
  next: 'more',
  warnings: ['the table is large'],
};

function searching(result: SearchResult, requests: SearchRequest[] = []) {
  const search = async (request: SearchRequest) => {
    requests.push(request);
    return result;
  };
  return connectionTo({ search });
}

describe('search', () => {
  it('shows where the words are, harmless for a terminal', async () => {
    const requests: SearchRequest[] = [];
    const connection = searching(found, requests);
    const args = ['search', 'lektron', 'münchen', '--integration', 'shop', '--stream', 'books', '--limit', '1'];
    const { code, out, err } = await commandLine(args, { connection });
    expect(code).toBe(0);
    expect(out).toBe('shop/books  bookId=1  lang=de  (similar)\n  Title: [Elektronik] in München \\u001b[31m\n');
    expect(err).toContain('note: the table is large');
    expect(err).toContain('There are more than 1 record');
    expect(requests).toEqual([{ text: 'lektron münchen', integration: 'shop', stream: 'books', limit: 1 }]);
    expect(connection.closed).toBe(1);
  });

  it('gives all as JSON', async () => {
    const { out, err } = await commandLine(['search', 'x', '--json'], { connection: searching(found) });
    expect(JSON.parse(out)).toMatchObject({
      next: 'more',
      hits: [{ key: { bookId: '1' }, record: { Title: 'Elektronik in München' } }],
    });
    expect(err).toBe('');
  });

  it('says that nothing was found', async () => {
    const { code, out } = await commandLine(['search', 'x'], { connection: searching({ hits: [], warnings: [] }) });
    expect([code, out]).toEqual([0, 'Nothing was found.\n']);
  });

  it('needs a word, and a page that the API gives', async () => {
    expect(await commandLine(['search'])).toMatchObject({ code: 2 });
    expect((await commandLine(['search', 'x', '--limit', '101'])).err).toMatch(/from 1 to 100/);
  });
});
