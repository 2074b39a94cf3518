// The load generator, in a process of its own on the other core. Raw sockets with prepared requests: a client
// library costs more CPU per request than the server under test, and would be what is measured.
//   { connect: { port, path, connections } }
//       opens the connections, each with a first request, outside of what is measured
//   { requests, polls }
//       as fast as it goes; with `polls` it never sleeps
//   { rate, durationMs, sleeps }
//       at a fixed rate, with `sleeps` a few each millisecond; latency counts from when a request was due, so
//       that a stalled server cannot hide it (coordinated omission); without `sleeps` it is known of each
//       request whether the generator itself was late
//   { close: true }
//       closes the connections
const net = require('node:net');

const HEADER_END = Buffer.from('\r\n\r\n');

/** One keep-alive connection: `send` resolves with nothing and calls back when the whole response is in. */
class Connection {
  constructor(port, path) {
    this.request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\n\r\n`);
    this.pending = Buffer.alloc(0);
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.ready = new Promise((resolve, reject) => {
      this.onResponse = resolve;
      this.socket.once('error', reject);
      this.send();
    });
    this.socket.on('data', (chunk) => this.receive(chunk));
    this.socket.on('close', () => {
      if (connections.includes(this)) lose(new Error('the server has closed a connection'));
    });
  }

  send() {
    this.socket.write(this.request);
  }

  receive(chunk) {
    const data = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const headerEnd = data.indexOf(HEADER_END);
    if (headerEnd === -1) {
      this.pending = data;
      return;
    }
    this.bodyLength ??= bodyLengthOf(data.toString('latin1', 0, headerEnd));
    if (data.length < headerEnd + 4 + this.bodyLength) {
      this.pending = data;
      return;
    }
    this.pending = data.subarray(headerEnd + 4 + this.bodyLength);
    this.onResponse(this, data.toString('latin1', 9, 12));
  }
}

// Every response of an app here has the same length, so it is read once a connection.
function bodyLengthOf(head) {
  const match = /content-length: (\d+)/i.exec(head);
  if (match) return Number(match[1]);
  // `hello` ends without a length given by node: Content-Length is set for a single end(); anything else is a
  // mistake.
  throw new Error(`the response has no content-length:\n${head}`);
}

let connections = [];
/** Ends the run at hand with an error: no response comes on a connection that is closed. */
let lose = () => {};

/**
 * A few at a time: a server's backlog is 511, and what does not fit is tried again after a second. A
 * connection that the kernel has accepted is not yet a worker's, so each is ready when it has had a response.
 */
async function connect({ port, path, connections: count }) {
  connections = [];
  while (connections.length < count) {
    const some = Array.from({ length: Math.min(100, count - connections.length) }, () => new Connection(port, path));
    connections.push(...some);
    await Promise.all(some.map(({ ready }) => ready));
  }
  return { connections: connections.length };
}

function close() {
  const closed = connections;
  connections = [];
  for (const { socket } of closed) socket.destroy();
}

/**
 * Looks for events without ever waiting for them. A server that answers a sleeping client wakes it, and on
 * loopback pays for it itself: an interrupt of the other core, 1 to 2 µs on a virtual machine. No client
 * across a network costs that, and the slower a server is, the more often its client sleeps.
 */
function poll() {
  let polling = true;
  const again = () => {
    if (polling) setImmediate(again);
  };
  again();
  return () => {
    polling = false;
  };
}

function assertOpen() {
  if (connections.length === 0 || connections.some(({ socket }) => socket.destroyed))
    throw new Error('the server has closed a connection');
}

async function flatOut(job) {
  assertOpen();
  let started = 0;
  let done = 0;
  let failed = 0;
  let finish;
  const finished = new Promise((resolve, reject) => {
    finish = resolve;
    lose = reject;
  });
  const next = (connection) => {
    if (started < job.requests) {
      started++;
      connection.send();
    }
  };
  const tenth = Math.ceil(job.requests / 10);
  let tenthMs = 0;
  const onResponse = (connection, status) => {
    done++;
    if (status !== '200') failed++;
    if (done === tenth) tenthMs = performance.now() - from;
    if (done === job.requests) finish();
    else next(connection);
  };
  for (const connection of connections) connection.onResponse = onResponse;
  const stopPolling = job.polls ? poll() : undefined;
  const from = performance.now();
  for (const connection of connections) next(connection);
  try {
    await finished;
  } finally {
    stopPolling?.();
  }
  const seconds = (performance.now() - from) / 1000;
  return { done, failed, seconds, perSecond: done / seconds, startUpShare: tenthMs / 1000 / seconds - 0.1 };
}

/** A turn of the loop that took longer: the generator has not had its core, or collected garbage. */
const LATE_MS = 1;

async function atRate(job) {
  assertOpen();
  const latencies = [];
  /** Of each: it was in flight, or due, while the generator was late, or waited behind one that was. */
  const isLate = [];
  let late = false;
  let lookedAt;
  /** Milliseconds since 1970. */
  const answeredAt = [];
  const idle = [];
  const due = [];
  let failed = 0;
  const onResponse = (connection, status) => {
    const now = performance.now();
    latencies.push(now - connection.dueAt);
    answeredAt.push(performance.timeOrigin + now);
    if (now - lookedAt > LATE_MS) late = true;
    isLate.push(late);
    if (status !== '200') failed++;
    const dueAt = due.shift();
    if (dueAt === undefined) idle.push(connection);
    else dispatch(connection, dueAt);
  };
  for (const connection of connections) connection.onResponse = onResponse;
  idle.push(...connections);
  function dispatch(connection, dueAt) {
    connection.dueAt = dueAt;
    connection.send();
  }
  const total = Math.round((job.rate * job.durationMs) / 1000);
  const startedAt = performance.now();
  lookedAt = startedAt;
  let sent = 0;
  await new Promise((resolve, reject) => {
    let isLost = false;
    lose = (error) => {
      isLost = true;
      reject(error);
    };
    const tick = () => {
      if (isLost) return;
      const now = performance.now();
      if (now - lookedAt > LATE_MS) late = true;
      else if (idle.length === connections.length) late = false;
      lookedAt = now;
      while (sent < total && startedAt + (sent * 1000) / job.rate <= now) {
        const dueAt = startedAt + (sent * 1000) / job.rate;
        sent++;
        // In turn, as connections of many clients are used.
        const connection = idle.shift();
        if (connection) dispatch(connection, dueAt);
        else due.push(dueAt);
      }
      if (latencies.length === total) resolve();
      else if (job.sleeps) setTimeout(tick, 1);
      else setImmediate(tick);
    };
    tick();
  });
  return { done: total, failed, latencies, isLate, answeredAt };
}

process.on('message', async (job) => {
  try {
    if (job.close) close();
    if (job.connect) process.send(await connect(job.connect));
    else if (job.rate) process.send(await atRate(job));
    else if (job.requests) process.send(await flatOut(job));
  } catch (error) {
    close();
    process.send({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
