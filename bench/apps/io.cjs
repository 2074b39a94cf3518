// 20 ms of simulated I/O, then a small JSON body.
module.exports = () => (_request, response) => {
  setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end('{"ok":true}');
  }, 20);
};
