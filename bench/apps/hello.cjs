// The smallest server there is: what tracing costs shows nowhere better.
module.exports = () => (_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('hello world');
};
