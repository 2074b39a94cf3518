/** Kinds of spans as OTLP numbers them: a word, and a shape that says the same without colour. */
export const KINDS = [
  { name: 'unspecified', shape: '' },
  { name: 'internal', shape: 'M5 8h6' },
  { name: 'server', shape: 'M2 8h7M6 5l3 3-3 3M12 3v10' },
  { name: 'client', shape: 'M4 3v10M7 8h7M11 5l3 3-3 3' },
  { name: 'producer', shape: 'M2 5h6v6H2zM8 8h6M11 5l3 3-3 3' },
  { name: 'consumer', shape: 'M2 8h6M5 5l3 3-3 3M8 5h6v6H8z' },
] as const;

export function KindIcon({ kind }: { kind: number }) {
  const { name, shape } = KINDS[kind] ?? KINDS[0];
  return (
    <svg class="kind" viewBox="0 0 16 16" width="14" height="14" role="img" aria-label={name}>
      <title>{name}</title>
      <path d={shape} />
    </svg>
  );
}
