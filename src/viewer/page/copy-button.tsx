import { useState } from 'preact/hooks';
import { withPrefix } from './prefix.ts';

/** Copies the JSON at `address`, and says whether it could. */
export function CopyButton({ label, address }: { label: string; address: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    try {
      const response = await fetch(withPrefix(address));
      if (!response.ok) throw new Error(String(response.status));
      await writeText(JSON.stringify(await response.json(), null, 2));
      setSaid('Copied');
    } catch {
      setSaid('Not copied');
    }
    setTimeout(() => setSaid(undefined), 1500);
  };
  return (
    <button type="button" onClick={copy} title={`${label} as OTLP/JSON`}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}

/** Copies a text as it is. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    setSaid(
      await writeText(text).then(
        () => '✓',
        () => '✗',
      ),
    );
    setTimeout(() => setSaid(undefined), 1500);
  };
  return (
    <button type="button" class="link copy" onClick={copy} aria-label={label} title={label}>
      {said ?? 'copy'}
    </button>
  );
}

/** `navigator.clipboard` is for secure contexts: beyond loopback the page may not be one. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('refused');
}
