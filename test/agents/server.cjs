require('./agent.cjs');
const { createServer } = require('node:http');

const server = createServer((_request, response) => response.end(String(globalThis.seesRequest())));
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
