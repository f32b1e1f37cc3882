import type { Client } from 'pg';
import { count } from '../output/format';
import { table } from '../output/table';

// DISTINCT ON keeps the first row of each continent: the largest city.
const LARGEST_CITIES = `
SELECT DISTINCT ON (country.continent) city.name, country.flag || ' ' || country.name AS country, country.native_name,
  country.continent, city.population,
  (SELECT string_agg(language.native_name, ', ' ORDER BY code.place)
     FROM jsonb_array_elements_text(country.details -> 'languages') WITH ORDINALITY AS code (code, place)
     JOIN {languages} AS language ON language.code = code.code) AS languages
  FROM {cities} AS city JOIN {countries} AS country ON country.code = city.country
 ORDER BY country.continent, city.population DESC`;

/** The name of the table in `schema` that holds a table of the sample; a stream's name may begin with its schema. */
export async function tableIn(client: Client, schema: string, name: string): Promise<string | undefined> {
  const found = await client.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename IN ($2, $3) ORDER BY length(tablename)`,
    [schema, name, `public__${name}`],
  );
  return found.rows[0]?.tablename;
}

/** The largest city of each continent, read from the destination: proof that the tables arrived and join. */
export async function largestCities(client: Client, schema: string): Promise<string> {
  let sql = LARGEST_CITIES;
  for (const name of ['languages', 'cities', 'countries']) {
    const found = await tableIn(client, schema, name);
    const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(found ?? name)}`;
    sql = sql.replace(`{${name}}`, table);
  }
  const { rows } = await client.query(sql);
  rows.sort((left, right) => right.population - left.population);
  const columns = [
    { title: 'city' },
    { title: 'country' },
    { title: 'called there' },
    { title: 'continent' },
    { title: 'population', numeric: true },
    { title: 'languages' },
  ];
  return table(
    columns,
    rows.map((row) => [
      row.name,
      row.country,
      row.native_name,
      row.continent,
      count(row.population),
      row.languages ?? '',
    ]),
  );
}
