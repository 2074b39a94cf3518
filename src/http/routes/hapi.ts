import type { ServerResponse } from 'node:http';
import { said } from '../guard.js';
import { requestOf } from '../request-of.js';

/** A request of @hapi/hapi 20 and later. */
interface HapiRequest {
  raw: { res: ServerResponse };
  route?: { path?: string; method?: string };
}

interface HapiPrototype {
  _lookup?(this: HapiRequest): unknown;
}

/**
 * Takes note of the route that hapi has looked up. What no route serves has a special one, of the method
 * `_special`.
 */
export function watchHapiRequest(prototype: HapiPrototype): void {
  const lookup = prototype._lookup;
  if (typeof lookup !== 'function' || Object.hasOwn(lookup, WATCHED)) return;
  prototype._lookup = Object.assign(
    function lookupWatched(this: HapiRequest, ...args: []): unknown {
      const result = lookup.apply(this, args);
      try {
        const { route, raw } = this;
        const request = requestOf(raw.res);
        if (request && route?.path !== undefined && !route.method?.startsWith('_')) request.route = route.path;
      } catch (error) {
        said(error);
      }
      return result;
    },
    { [WATCHED]: true },
  );
}

const WATCHED = Symbol('forktrace.watched');
