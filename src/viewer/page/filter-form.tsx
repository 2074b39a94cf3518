import { useState } from 'preact/hooks';
import type { CompletionView } from '../api-types/completions.ts';
import { condition, FIELDS, OPERATORS, type Operator } from '../views/filter-language.ts';
import { useData } from './live.ts';

/** One condition by choosing, for those who do not know how it is written: it is added to the filter. */
export function FilterForm({ onAdd }: { onAdd: (written: string) => void }) {
  const [field, setField] = useState('status');
  const [operator, setOperator] = useState<Operator>(':');
  const [value, setValue] = useState('');
  const { data } = useData<CompletionView>(`/api/complete?field=${encodeURIComponent(field)}`, { live: false });
  const add = () => {
    if (value.trim() === '') return;
    onAdd(condition(field, operator, value.trim()));
    setValue('');
  };
  return (
    <fieldset class="filter-form">
      <legend class="hidden">A condition</legend>
      <select aria-label="Field" value={field} onChange={(event) => setField(event.currentTarget.value)}>
        {FIELDS.map((one) => (
          <option key={one.field} value={one.field}>
            {one.field}
          </option>
        ))}
        <optgroup label="Attributes">
          {(data?.keys ?? []).map((key) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </optgroup>
      </select>
      <select
        aria-label="Operator"
        value={operator}
        onChange={(event) => setOperator(event.currentTarget.value as Operator)}
      >
        {OPERATORS.map((one) => (
          <option key={one.operator} value={one.operator}>
            {one.says}
          </option>
        ))}
      </select>
      <input
        aria-label="Value"
        list="filter-values"
        value={value}
        placeholder={FIELDS.find((one) => one.field === field)?.example.replace(/^\w+\W+/, '')}
        onInput={(event) => setValue(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && add()}
      />
      <datalist id="filter-values">
        {(data?.values ?? []).map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="button" onClick={add}>
        Add
      </button>
    </fieldset>
  );
}
