import type { Link } from '@opentelemetry/api';
import type { TimedEvent } from '../sdk/types.js';

/** What few spans have. */
export class SpanDetails {
  events: TimedEvent[] = [];
  links: Link[] = [];
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;
}
