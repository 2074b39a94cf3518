import { setRoute } from 'forktrace';
import { defineNitroPlugin } from 'nitropack/runtime';

export default defineNitroPlugin((nitroApp) => {
  const tell = (event) => event?.context.matchedRoute && setRoute(event.context.matchedRoute.path);
  nitroApp.hooks.hook('beforeResponse', tell);
  nitroApp.hooks.hook('error', (_error, { event }) => tell(event));
});
