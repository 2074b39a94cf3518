// SPANS child spans a request: how cost grows with the spans of a trace.
const catalogue = require('./work.cjs');

const count = Number(process.env.SPANS ?? 10);
module.exports = () => (_request, response) => {
  catalogue(count - 1);
  response.end('ok');
};
