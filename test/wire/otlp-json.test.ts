// OTLP/JSON that does not fit the protocol: the message names the field, what was found and what is expected.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attributesText, valueText } from '#src/wire/attribute-text.js';
import { decode } from '#src/wire/decode.js';
import { encode, MalformedJson } from '#src/wire/encode.js';
import { AnyValue, LogsRequest, MetricsRequest, TracesRequest } from '#src/wire/otlp.js';
import type { AnyValue as Value } from '#src/wire/otlp-json.js';

const span = (fields: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [fields] }] }] });
const SPAN = 'ExportTraceServiceRequest.resourceSpans[0].scopeSpans[0].spans[0]';

describe('encoding OTLP/JSON', () => {
  const cases: [what: string, value: unknown, message: string][] = [
    ['no object', [], 'ExportTraceServiceRequest is an array, expected an object'],
    ['null', null, 'ExportTraceServiceRequest is object, expected an object'],
    [
      'an object for a list',
      { resourceSpans: {} },
      'ExportTraceServiceRequest.resourceSpans is object, expected an array',
    ],
    ['a text for a message', span({ status: 'ok' }), `${SPAN}.status is "ok", expected an object`],
    ['a number for a text', span({ name: 7 }), `${SPAN}.name is number, expected a string`],
    ['odd hex digits', span({ traceId: 'abc' }), `${SPAN}.traceId is "abc", expected hex digits`],
    ['a fraction', span({ kind: 1.5 }), `${SPAN}.kind is number, expected a whole number in range`],
    ['a negative kind', span({ kind: -1 }), `${SPAN}.kind is number, expected a whole number in range`],
    [
      'a time that is a word',
      span({ startTimeUnixNano: 'now' }),
      `${SPAN}.startTimeUnixNano is "now", expected a whole number in range`,
    ],
    [
      'a time beyond 64 bits',
      span({ endTimeUnixNano: '18446744073709551616' }),
      `${SPAN}.endTimeUnixNano is "18446744073709551616", expected a whole number in range`,
    ],
    [
      'a long text is cut',
      span({ flags: 'x'.repeat(99) }),
      `${SPAN}.flags is "${'x'.repeat(40)}", expected a whole number in range`,
    ],
  ];
  for (const [what, value, message] of cases) {
    test(what, () => {
      assert.throws(
        () => encode(value, TracesRequest),
        (error) => error instanceof MalformedJson && error.message === message,
      );
    });
  }

  const values: [value: object, message: string][] = [
    [{ boolValue: 'yes' }, 'AnyValue.boolValue is "yes", expected true or false'],
    [{ bytesValue: 1 }, 'AnyValue.bytesValue is number, expected base64'],
    [{ doubleValue: '' }, 'AnyValue.doubleValue is "", expected a number'],
    [{ doubleValue: 'much' }, 'AnyValue.doubleValue is "much", expected a number'],
    [{ doubleValue: true }, 'AnyValue.doubleValue is boolean, expected a number'],
    [{ intValue: {} }, 'AnyValue.intValue is object, expected a whole number in range'],
  ];
  for (const [value, message] of values) {
    test(`an attribute of ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => encode(value, AnyValue),
        (error) => error instanceof MalformedJson && error.message === message,
      );
    });
  }

  test('a number may be a text, and what is unknown or null is skipped', () => {
    const given = span({ kind: '2', startTimeUnixNano: '5', name: null, colour: 'red' });
    assert.deepEqual(decode(encode(given, TracesRequest), TracesRequest), span({ kind: 2, startTimeUnixNano: '5' }));
    for (const doubleValue of ['NaN', Number.NaN]) {
      const back = decode(encode({ doubleValue }, AnyValue), AnyValue);
      assert.ok(Number.isNaN(Number(back.doubleValue)));
    }
    assert.deepEqual(decode(encode({ doubleValue: '1.5' }, AnyValue), AnyValue), { doubleValue: 1.5 });
  });

  test('messages that are nested without end are refused', () => {
    let value: object = { stringValue: 'core' };
    for (let depth = 0; depth < 200; depth++) value = { arrayValue: { values: [value] } };
    for (const [request, given] of [
      [TracesRequest, span({ attributes: [{ key: 'a', value }] })],
      [LogsRequest, { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: value }] }] }] }],
      [MetricsRequest, { resourceMetrics: [{ resource: { attributes: [{ key: 'a', value }] } }] }],
    ] as const) {
      assert.throws(() => encode(given, request), /nested messages/);
    }
  });
});

test('the text of a value', () => {
  const texts: [Value | undefined, string][] = [
    [undefined, ''],
    [{}, ''],
    [{ stringValue: 'a' }, 'a'],
    [{ intValue: '7' }, '7'],
    [{ doubleValue: 0.5 }, '0.5'],
    [{ boolValue: false }, 'false'],
    [{ bytesValue: 'AQI=' }, 'AQI='],
    [{ arrayValue: {} }, '[]'],
    [{ arrayValue: { values: [{ intValue: '1' }, {}] } }, '[1, ]'],
    [{ kvlistValue: {} }, '{}'],
    [
      { kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }, { value: { intValue: '2' } }] } },
      '{k=true, =2}',
    ],
  ];
  for (const [value, text] of texts) assert.equal(valueText(value), text);
  assert.equal(attributesText(), '');
});
