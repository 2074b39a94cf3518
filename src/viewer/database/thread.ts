/** The thread that has the traces' database, so that a search never holds up what is received. */
import { parentPort, workerData } from 'node:worker_threads';
import { traceRequestOf } from '../store/trace-request.js';
import { linkedFrom } from '../views/trace-view.js';
import { DatabaseLists } from './database-lists.js';
import type { Answer, Answers, Opened, Question, ThreadOptions } from './thread-messages.js';
import { TraceTables } from './trace-tables.js';

const { path, maxBytes, newestBytes, ...shared } = workerData as ThreadOptions;
const givenUp = new Int32Array(shared.givenUp);
const port = parentPort!;
try {
  const tables = new TraceTables(path, maxBytes);
  const lists = new DatabaseLists(tables);
  port.postMessage({ opened: tables.newest(newestBytes), traces: tables.held } satisfies Opened);
  let closed = false;
  let scheduled = false;
  /** A step after each write, and more while nothing is asked. */
  const merge = () => {
    try {
      if (closed || !tables.merge() || scheduled) return;
    } catch {
      // The disk is full, of which the next write tells.
      return;
    }
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      merge();
    });
  };
  port.on('message', ({ number, ...question }: Question & { number: number }) => {
    let answer: Answer;
    try {
      answer = { number, answer: answerTo(question, tables, lists, () => givenUp[0] === number) };
    } catch (error) {
      answer = { number, error: (error as Error).message };
    }
    port.postMessage(answer);
    if (question.ask === 'write') merge();
    if (question.ask !== 'close') return;
    closed = true;
    port.close();
  });
} catch (error) {
  port.postMessage({ failed: (error as Error).message } satisfies Opened);
}

function answerTo(
  question: Question,
  tables: TraceTables,
  lists: DatabaseLists,
  givenUpNow: () => boolean,
): Answers[Question['ask']] {
  switch (question.ask) {
    case 'write':
      tables.write(Buffer.from(question.bytes.buffer, question.bytes.byteOffset, question.bytes.byteLength));
      return undefined;
    case 'list':
      return lists.view(new URLSearchParams(question.query), Date.now(), givenUpNow);
    case 'trace': {
      if (tables.spansOf(question.traceId) <= question.moreThan) return undefined;
      const trace = tables.trace(question.traceId);
      return trace && traceRequestOf(trace.spans.values());
    }
    case 'linked':
      return linkedFrom(tables.linkingTo(question.traceId), question.traceId);
    case 'clear':
      tables.clear();
      return undefined;
    case 'close':
      tables.close();
      return undefined;
  }
}
