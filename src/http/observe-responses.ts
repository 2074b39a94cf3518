/**
 * Sees how responses are answered: `writeHead`, `write`, `end`, `destroy` and what they emit, on the
 * prototype of all of node:http's responses, once per process. Methods of its own on each response would make
 * every one of them slow that changes its prototype, as Express does; a listener of its own on each costs 1
 * µs, as there is node:http's already and the two make a list.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';
import { guarded, said } from './guard.js';
import { type Http1Request, http1RequestOf } from './http1-request.js';

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;
type Methods = Partial<Record<'writeHead' | 'write' | 'end' | 'destroy', Method>>;
type Emit = (this: ServerResponse, event: string | symbol, ...args: unknown[]) => boolean;

/** Starts the request of a response that node:http gives by itself, without a 'request' event. */
export type AnsweredByNode = (response: ServerResponse) => Http1Request | undefined;

let observed = false;

export function observeResponses(answeredByNode: AnsweredByNode): void {
  if (observed) return;
  observed = true;
  const { ServerResponse } = process.getBuiltinModule('node:http');
  observe(ServerResponse.prototype as unknown as Methods, answeredByNode);
  observeEvents(ServerResponse.prototype as unknown as { emit: Emit });
}

/**
 * A response is finished when the listeners of its 'finish' and 'close' have run: the app may have more to
 * say there, as loggers do.
 */
function observeEvents(target: { emit: Emit }): void {
  const { emit } = target;
  target.emit = function emitObserved(event, ...args) {
    const result = emit.call(this, event, ...args);
    // node:http takes the socket away in its own listener of 'finish', and then emits 'close' in the next
    // tick. It does not for a response that the program has made; listeners that are added in this tick are
    // still to come.
    if (event === 'close') finished(this);
    else if (event === 'finish' && this.socket !== null) process.nextTick(finished, this);
    return result;
  };
}

function finished(response: ServerResponse): void {
  if (response.writableFinished) http1RequestOf(response)?.finished(response);
}

/** For a response that is none of node:http's: an adapter's, or a test's. */
export function observeResponse(response: ServerResponse): void {
  const { ServerResponse } = process.getBuiltinModule('node:http');
  if (!(response instanceof ServerResponse)) observe(response as unknown as Methods, () => undefined);
}

function observe(target: Methods, answeredByNode: AnsweredByNode): void {
  const { writeHead, write, end, destroy } = target;
  if (typeof writeHead === 'function') {
    target.writeHead = function writeHeadObserved(...args) {
      const request = http1RequestOf(this);
      if (request === undefined) return writeHead.apply(this, args);
      try {
        request.headSending(this, args);
      } catch (error) {
        said(error);
      }
      const result = writeHead.apply(this, args);
      request.headSent(this, args);
      return result;
    };
  }
  if (typeof write === 'function') {
    target.write = function writeObserved(...args) {
      const request = http1RequestOf(this);
      return write.apply(this, request === undefined ? args : (guarded(() => request.writing(this, args)) ?? args));
    };
  }
  if (typeof end === 'function') {
    target.end = function endObserved(...args) {
      if (this.writableEnded) return end.apply(this, args);
      const request = http1RequestOf(this) ?? guarded(() => answeredByNode(this));
      if (request === undefined) return end.apply(this, args);
      try {
        request.ending(this, args[0], args[1]);
      } catch (error) {
        said(error);
      }
      const result = end.apply(this, args);
      try {
        request.endCalled(this);
      } catch (error) {
        said(error);
      }
      return result;
    };
  }
  if (typeof destroy === 'function') {
    target.destroy = function destroyObserved(...args) {
      http1RequestOf(this)?.destroying(args[0]);
      return destroy.apply(this, args);
    };
  }
}
