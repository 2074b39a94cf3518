import { processResource } from '../store/process-resource.js';
import { type StoredSpan, Trace } from '../store/trace.js';
import type { Database } from './sqlite.js';
import type { Facet, TermOf } from './trace-terms.js';

/** Distinct values of a facet that have a term; of resources fewer, as each is held decoded. */
const MAX_VALUES = 10_000;
const MAX_RESOURCES = 2000;

interface FacetValue {
  term: string;
  /** A trace that has this value and nothing else, for what tests traces. */
  trace: Trace;
}

/** The distinct routes, names, resources and so on of all traces of a database. */
export class FacetValues {
  readonly #values = new Map<Facet, Map<string, FacetValue>>();
  /** Of these, there have been more values than have terms. */
  readonly #overflowed = new Set<Facet>();
  readonly #insert;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO facet_value (facet, value) VALUES (?, ?)');
    for (const { id, facet, value } of database.prepare('SELECT id, facet, value FROM facet_value').all()) {
      this.#add(facet as Facet, value as string, id as number);
    }
    for (const [facet, values] of this.#values) if (values.size >= maxOf(facet)) this.#overflowed.add(facet);
  }

  /** The term of a value, which is given one when it is new. */
  readonly termOf: TermOf = (facet, value) => {
    const known = this.#values.get(facet)?.get(value);
    if (known !== undefined) return known.term;
    if (this.#overflowed.has(facet)) return undefined;
    const added = this.#add(facet, value, Number(this.#insert.run(facet, value).lastInsertRowid));
    if (this.#values.get(facet)!.size >= maxOf(facet)) this.#overflowed.add(facet);
    return added.term;
  };

  /** The terms of the values for which `test` holds; undefined when not each value has a term. */
  terms(facet: Facet, test: (trace: Trace) => boolean): string[] | undefined {
    if (this.#overflowed.has(facet)) return undefined;
    return [...(this.#values.get(facet)?.values() ?? [])].filter(({ trace }) => test(trace)).map(({ term }) => term);
  }

  #add(facet: Facet, value: string, id: number): FacetValue {
    let values = this.#values.get(facet);
    if (values === undefined) {
      values = new Map();
      this.#values.set(facet, values);
    }
    const added = { term: `f${id}`, trace: traceWith(facet, value) };
    values.set(value, added);
    return added;
  }
}

const maxOf = (facet: Facet) => (facet === 'resource' ? MAX_RESOURCES : MAX_VALUES);

const NOTHING = Buffer.alloc(0);
const NO_RESOURCE = processResource(NOTHING);
const SERVER = 2;

function traceWith(facet: Facet, value: string): Trace {
  const span: StoredSpan = {
    spanId: '',
    parentSpanId: '',
    name: facet === 'name' || facet === 'key' ? value : '',
    kind: facet === 'kind' ? Number(value) : SERVER,
    startMs: 0,
    endMs: 0,
    error: false,
    interrupted: false,
    method: facet === 'method' ? value : '',
    route: facet === 'route' ? value : '',
    path: '',
    httpStatus: facet === 'status' ? Number(value) : 0,
    eventCount: 0,
    bytes: NOTHING,
    resource: facet === 'resource' ? processResource(Buffer.from(value, 'base64')) : NO_RESOURCE,
    scope: { bytes: NOTHING, scope: {} },
  };
  const trace = new Trace('', 0);
  trace.add(span);
  return trace;
}
