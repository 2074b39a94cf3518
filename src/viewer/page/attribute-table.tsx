import { useState } from 'preact/hooks';
import { valueText } from '../../wire/attribute-text.ts';
import type { KeyValue } from '../../wire/otlp-json.ts';
import { condition } from '../views/filter-language.ts';
import { CopyText } from './copy-button.tsx';
import { filterLink } from './location.ts';

/** A longer value is folded. */
const FOLD_ABOVE = 300;

/** Values come from anywhere: they are text here, whatever they look like. */
export function AttributeTable({ attributes, path }: { attributes: KeyValue[]; path?: string }) {
  const sorted = attributes.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
  return (
    <table class="attributes">
      <tbody>
        {sorted.map(({ key = '', value }, index) => {
          const text = valueText(value);
          return (
            <tr key={index}>
              <th scope="row">
                <a href={filterLink([condition(key, '=', text)], path)} title="Filter by this value">
                  {key}
                </a>
              </th>
              <td class={value?.stringValue === undefined ? 'value' : 'string'}>
                <Value attribute={key} text={text} />
                <span class="acts">
                  <CopyText text={text} label={`Copy ${key}`} />
                  <a href={filterLink([condition(key, '=', text, true)], path)} title="Filter this value out">
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
  const formatted = formattedValue(attribute, text);
  if (formatted.length <= FOLD_ABOVE) return <>{formatted}</>;
  return (
    <>
      {open ? formatted : `${formatted.slice(0, FOLD_ABOVE)}…`}{' '}
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'less' : `all ${text.length.toLocaleString('en')} characters`}
      </button>
    </>
  );
}

/** Where a statement of SQL goes on in a new line. */
const CLAUSES =
  /(?<!\b(?:LEFT|RIGHT|INNER|FULL|CROSS))\s+(?=(?:FROM|WHERE|AND|OR|(?:LEFT |RIGHT |INNER |FULL |CROSS )?JOIN|GROUP BY|ORDER BY|HAVING|LIMIT|OFFSET|VALUES|SET|RETURNING|UNION)\b)/gi;

/** JSON and SQL as one reads them; everything else as it came. */
function formattedValue(attribute: string, text: string): string {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }
  if (/^db\.(?:query\.text|statement)$/.test(attribute)) return text.replace(CLAUSES, '\n');
  return text;
}
