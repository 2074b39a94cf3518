import { useMemo, useState } from 'preact/hooks';
import { valueText } from '../../wire/attribute-text.ts';
import type { KeyValue } from '../../wire/otlp-json.ts';
import { condition } from '../views/filter-language.ts';
import { CopyText } from './copy-button.tsx';
import { filterLink } from './location.ts';

/** A longer value is looked for by how it begins: an address holds no more. */
const SOUGHT = 200;
/** A longer value is folded. */
const FOLD_ABOVE = 300;
/** More of it keeps the browser busy; all of it can be copied. */
const MOST_SHOWN = 20_000;
const MOST_FORMATTED = 100_000;

/** Values come from anywhere: they are text here, whatever they look like. */
export function AttributeTable({ attributes, path }: { attributes: KeyValue[]; path?: string }) {
  const sorted = attributes.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
  return (
    <table class="attributes">
      <tbody>
        {sorted.map(({ key = '', value }, index) => {
          const text = valueText(value);
          const sought = (negated: boolean) =>
            filterLink(
              [
                text.length > SOUGHT
                  ? condition(key, ':', text.slice(0, SOUGHT).replace(/[\ud800-\udbff]$/, ''), negated)
                  : condition(key, '=', text, negated),
              ],
              path,
            );
          return (
            <tr key={index}>
              <th scope="row">
                <a href={sought(false)} title="Filter by this value">
                  {key}
                </a>
              </th>
              <td class={value?.stringValue === undefined ? 'value' : 'string'}>
                <Value attribute={key} text={text} />
                <span class="acts">
                  <CopyText text={text} label={`Copy ${key}`} />
                  <a href={sought(true)} title="Filter this value out">
                    ≠
                  </a>
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Value({ attribute, text }: { attribute: string; text: string }) {
  const [open, setOpen] = useState(false);
  const formatted = useMemo(() => formattedValue(attribute, text), [attribute, text]);
  if (formatted.length <= FOLD_ABOVE) return <>{formatted}</>;
  const long = formatted.length > MOST_SHOWN;
  return (
    <>
      {formatted.slice(0, open ? MOST_SHOWN : FOLD_ABOVE)}
      {(!open || long) && '…'}{' '}
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'less' : `${long ? `${count(MOST_SHOWN)} of` : 'all'} ${count(text.length)} characters`}
      </button>
    </>
  );
}

const count = (number: number) => number.toLocaleString('en');

/** Where a statement of SQL goes on in a new line. */
const CLAUSES =
  /(?<!\b(?:LEFT|RIGHT|INNER|FULL|CROSS))\s+(?=(?:FROM|WHERE|AND|OR|(?:LEFT |RIGHT |INNER |FULL |CROSS )?JOIN|GROUP BY|ORDER BY|HAVING|LIMIT|OFFSET|VALUES|SET|RETURNING|UNION)\b)/gi;

/** JSON and SQL as one reads them; everything else as it came. */
function formattedValue(attribute: string, text: string): string {
  if (text.length <= MOST_FORMATTED && /^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }
  if (/^db\.(?:query\.text|statement)$/.test(attribute)) return text.replace(CLAUSES, '\n');
  return text;
}
