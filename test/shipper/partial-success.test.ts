// An endpoint that says of a request that it has not taken some of its spans, in numbers that may be any.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from './journal-scene.js';

const SPANS = 20;

for (const [rejected, message, refused, said] of [
  [0, '', 0, undefined],
  [0, 'a word of warning', 0, /a word of warning/],
  [3, '', 3, /no reason given/],
  [3, 'three are bad', 3, /three are bad/],
  [SPANS, 'all are bad', SPANS, /all are bad/],
  [1000, 'more than there are', SPANS, /more than there are/],
  [-5, 'less than none', 0, /less than none/],
  [-5, '', 0, undefined],
] as const)
  for (const to of ['otlp-grpc', 'otlp-http'] as const)
    test(`${to}: ${rejected} of ${SPANS} rejected${message && `, "${message}"`}: ${SPANS - refused} count as shipped, and nothing is sent again`, async (t) => {
      const { open, write, ship, warnings } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      endpoint.answerWith({ answer: 'partial-success', rejected, message });
      write(open(), SPANS, 'span');
      const { shipper } = ship({ to, url: to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl });
      await waitFor(() => shipper.stats().shipped + shipper.stats().refused > 0, 'an answer');
      const { shipped, lagBytes, refused: counted } = shipper.stats();
      assert.deepEqual({ shipped, counted, lagBytes }, { shipped: SPANS - refused, counted: refused, lagBytes: 0 });
      if (said) await waitFor(() => warnings.some((warning) => said.test(warning.message)), 'a word');
      assert.equal(endpoint.requests.length, 1);
    });
