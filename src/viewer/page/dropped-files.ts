import { useEffect, useState } from 'preact/hooks';
import type { TracesData } from '../../wire/otlp-json.ts';
import { navigate } from './location.ts';
import { withPrefix } from './prefix.ts';

const SHOWN_MS = 4000;

/** Takes files of OTLP, JSON or protobuf, that are dropped on the page. @returns what to say about them */
export function useDroppedFiles(): string | undefined {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = (text: string) => {
      setSaid(text);
      clearTimeout(timer);
      timer = setTimeout(() => setSaid(undefined), SHOWN_MS);
    };
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const drop = async (event: DragEvent) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      for (const file of files) {
        const error = await send(file);
        say(error === undefined ? `${file.name} is open` : `${file.name}: ${error}`);
      }
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
      clearTimeout(timer);
    };
  }, []);
  return said;
}

/** @returns why it was not taken */
async function send(file: File): Promise<string | undefined> {
  const bytes = await file.arrayBuffer();
  const text = new TextDecoder().decode(bytes);
  const isJson = text.trimStart().startsWith('{');
  const response = await fetch(withPrefix('/v1/traces'), {
    method: 'POST',
    headers: { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' },
    body: bytes,
  });
  if (!response.ok)
    return isJson ? ((await response.json()) as { message: string }).message : `not OTLP (${response.status})`;
  const traceId = isJson ? firstTraceId(JSON.parse(text) as TracesData) : undefined;
  navigate(traceId === undefined ? '/traces' : `/traces/${traceId}`);
  return undefined;
}

function firstTraceId({ resourceSpans = [] }: TracesData): string | undefined {
  for (const { scopeSpans = [] } of resourceSpans) {
    for (const { spans = [] } of scopeSpans) if (spans[0]?.traceId) return spans[0].traceId.toLowerCase();
  }
  return undefined;
}
