import { setRoute } from 'forktrace';

export const onRequest = (context, next) => {
  if (context.routePattern !== '/404') setRoute(context.routePattern);
  return next();
};
