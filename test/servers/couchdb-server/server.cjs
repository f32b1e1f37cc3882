// node server.cjs MODULES HOST PORT FOLDER USER PASSWORD: CouchDB's HTTP API on memory.
const { createServer } = require('node:http');
const { createRequire } = require('node:module');

const [modules, host, port, folder, user, password] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const express = load('express');
const PouchDB = load('pouchdb').plugin(load('pouchdb-adapter-memory')).defaults({ adapter: 'memory' });
const couch = load('express-pouchdb')(PouchDB, { configPath: `${folder}/config.json`, logPath: `${folder}/couch.log` });
const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const app = express();
const server = createServer(app);
app.get('/_up', (_, response) => response.json({ status: 'ok' }));
// How many connections there are, without the one that asks.
app.get('/_connections', (_, response) =>
  server.getConnections((error, count) => (error ? response.status(500).end() : response.json(count - 1))),
);
// Its own login needs documents of users.
app.use((request, response, next) => {
  if (request.headers.authorization === expected) {
    delete request.headers.authorization;
    return next();
  }
  return response.status(401).json({ error: 'unauthorized', reason: 'Name or password is incorrect.' });
});
app.use('/', couch);
server.listen(Number(port), host);
