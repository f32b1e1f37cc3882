// The runtime interface client sends answers by a native module, which is not compiled here. Preloaded, this takes its
// place: the same two requests over node:http.
const http = require('node:http');
const Module = require('node:module');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const post = (path, body, headers = {}) => {
  const request = http.request({ hostname, port, path: `/2018-06-01/runtime${path}`, method: 'POST', headers });
  request.on('error', ({ message }) => process.stderr.write(`answering failed: ${message}\n`));
  request.end(body);
};
const client = {
  done: (id, body) => post(`/invocation/${id}/response`, body),
  error: (id, body) => post(`/invocation/${id}/error`, body),
};
const load = Module._load;
Module._load = (request, ...rest) => (request === './rapid-client.node' ? client : load(request, ...rest));
