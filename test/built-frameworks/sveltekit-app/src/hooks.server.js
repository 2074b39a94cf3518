import { setRoute } from 'forktrace';

export const handle = ({ event, resolve }) => {
  if (event.route.id) setRoute(event.route.id);
  return resolve(event);
};
