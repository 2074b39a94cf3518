import type { Transport } from './transport.js';

/** Prints what another transport has delivered: `OTEL_TRACES_EXPORTER=otlp,console`. */
export function printingTransport(transport: Transport, printer: Transport): Transport {
  return {
    async send(request) {
      const result = await transport.send(request);
      // The bytes may be used again once this has settled.
      if (result.outcome === 'accepted') await printer.send(request);
      return result;
    },
    close() {
      transport.close();
      printer.close();
    },
  };
}
