/** @module Options of the service and its processes. */
import type { ListenOptions } from 'node:net';
import type { Attributes } from '@opentelemetry/api';
import type { Resource } from '../../sdk/types.js';
import {
  anything,
  attributeValue,
  callback,
  either,
  fields,
  flag,
  hasMethods,
  milliseconds,
  port,
  recordOf,
  text,
  whole,
} from '../kinds.js';
import { group, option } from '../option.js';
import type { ChildExit, Hook, StopReason, WorkerContext } from '../types.js';

const attributes = recordOf(attributeValue, 'an object of attributes or a Resource');
const resource = either<Attributes | Resource>(attributes.expected, 'Attributes | Resource', (value) =>
  hasMethods(value, 'merge') ? anything : attributes,
);

const LISTEN = 'a port from 0 to 65535 or the options of server.listen';
const listenOptions = fields({ port, host: text, path: text, backlog: whole(0) });
const listen = either<number | ListenOptions>(LISTEN, 'number | ListenOptions', (value) => {
  if (typeof value === 'number') return port;
  return typeof value === 'object' && value !== null ? listenOptions : undefined;
});

const hook = <Args extends unknown[] = [], Result = void>(args: string, about: string, result = 'void') =>
  option(callback<Hook<Args, Result>>(`(${args}) => ${result} | Promise<${result}>`), { about });
const SLOT_PID = 'worker: { slot: number; pid: number }';

export const service = {
  serviceName: option(text, {
    about: 'The name of the service: the attribute `service.name`, and the name of the journal directory.',
    variable: 'OTEL_SERVICE_NAME',
    otherwise:
      '`service.name` in `OTEL_RESOURCE_ATTRIBUTES`, else the name in the `package.json` nearest to the program, else `unknown_service:node`',
  }),
  serviceVersion: option(text, {
    about: 'The version of the service: the attribute `service.version`.',
    otherwise: '`service.version` in `OTEL_RESOURCE_ATTRIBUTES`, else the version in that `package.json`',
  }),
  resource: option(resource, {
    about: 'Attributes, or a `Resource`, that win over detected ones. Spans are sent when its promises have settled.',
  }),
  workers: option(whole(1, 1024), {
    about: 'How many workers are forked. `WEB_CONCURRENCY=auto` means the number of CPUs.',
    variable: ['FORKTRACE_WORKERS', 'WEB_CONCURRENCY'],
    otherwise: 'the number of CPUs (`os.availableParallelism()`)',
  }),
  listen: option(listen, {
    about: 'A port, or the options of `server.listen`. `PORT` may also be the path of a Unix socket.',
    variable: 'PORT',
    otherwise: '3000',
  }),
  hooks: group(
    'Hooks',
    'Functions called in the coordinator and the workers. One that throws or hangs is logged with its name.',
    {
      timeoutMs: option(milliseconds(1), { about: 'How long each hook may take.', unit: 'ms', default: 5000 }),
      onStarting: hook('', 'Coordinator: before the first fork.'),
      preFork: hook<[{ slot: number; incarnation: number }], Record<string, string> | void>(
        'worker: { slot: number; incarnation: number }',
        'Coordinator: before a fork; returns extra environment for the worker.',
        'Record<string, string> | void',
      ),
      onWorkerStart: hook<[{ slot: number; pid: number }]>(SLOT_PID, 'Coordinator: a worker has been forked.'),
      onWorkerReady: hook<[{ slot: number; pid: number }]>(
        SLOT_PID,
        'Coordinator: a worker listens, and its `workerReady` has finished.',
      ),
      onReady: hook('', 'Coordinator: all workers are ready for the first time.'),
      onReload: hook('', 'Coordinator: a reload begins.'),
      onScale: hook<[{ from: number; to: number }]>(
        'change: { from: number; to: number }',
        'Coordinator: the number of workers changes.',
      ),
      childExit: hook<[ChildExit]>('exit: ChildExit', 'Coordinator: a worker has ended.'),
      onExit: hook('', 'Coordinator: all workers are gone.'),
      postFork: hook<[WorkerContext]>(
        'worker: WorkerContext',
        'Worker: tracing has started, the app is not loaded yet.',
      ),
      workerReady: hook<[WorkerContext]>('worker: WorkerContext', 'Worker: the server listens.'),
      workerStopping: hook<[WorkerContext, StopReason]>(
        'worker: WorkerContext, reason: StopReason',
        'Worker: it begins to stop.',
      ),
      workerExit: hook<[WorkerContext]>('worker: WorkerContext', 'Worker: drained; spans are flushed next.'),
    },
  ),
  disabled: option(flag, {
    about: 'Turns tracing off; the app runs without it.',
    variable: 'OTEL_SDK_DISABLED',
    default: false,
  }),
};
