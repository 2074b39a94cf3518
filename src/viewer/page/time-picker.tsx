import { useState } from 'preact/hooks';
import { fromInput, toInput } from './clock.ts';
import { navigate, withQuery } from './location.ts';

const LAST = [
  ['60000', 'Last minute'],
  ['300000', 'Last 5 minutes'],
  ['900000', 'Last 15 minutes'],
  ['3600000', 'Last hour'],
  ['86400000', 'Last 24 hours'],
] as const;

/** Which traces by their start: all, the latest, or between two times; kept in the address. */
export function TimePicker({ query }: { query: URLSearchParams }) {
  const [custom, setCustom] = useState(false);
  const [from, to, last] = ['from', 'to', 'last'].map((name) => query.get(name) ?? '') as [string, string, string];
  const between = custom || from !== '' || to !== '';
  const bound = (name: 'from' | 'to', value: string) => (
    <input
      type="datetime-local"
      step="0.001"
      aria-label={name === 'from' ? 'From' : 'To'}
      value={toInput(value)}
      onChange={(event) => navigate(withQuery({ [name]: fromInput(event.currentTarget.value), last: '' }), true)}
    />
  );
  return (
    <span class="time-picker">
      <select
        aria-label="Time"
        value={between ? 'between' : last}
        onChange={({ currentTarget: { value } }) => {
          setCustom(value === 'between');
          if (value === 'between') navigate(withQuery({ last: '' }));
          else navigate(withQuery({ last: value, from: '', to: '' }));
        }}
      >
        <option value="">All that is stored</option>
        {LAST.map(([ms, label]) => (
          <option key={ms} value={ms}>
            {label}
          </option>
        ))}
        <option value="between">Between…</option>
      </select>
      {between && (
        <>
          {bound('from', from)} {bound('to', to)}
        </>
      )}
    </span>
  );
}
