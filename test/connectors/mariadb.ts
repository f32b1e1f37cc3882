import { mariadbFixture } from './mysql';

/** The same server under its own name. */
export const fixtures = [mariadbFixture()];
