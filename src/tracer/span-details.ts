import type { Link } from '@opentelemetry/api';
import type { TimedEvent } from '../sdk/types.js';

/** What few spans have. */
export class SpanDetails {
  events: TimedEvent[] = [];
  links: Link[] = [];
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
}
