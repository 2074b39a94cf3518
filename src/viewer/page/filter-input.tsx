import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { CompletionView } from '../api-types/completions.ts';
import type { FilterField } from '../views/filter-language.ts';
import { lastWord, type Suggestion, suggestions } from './filter-completion.ts';
import { useData } from './live.ts';

const NOTHING: CompletionView = { keys: [], values: [] };
const TYPING_MS = 250;

/** The filter as text, with what it may go on with below it. Follows the typing with a short delay. */
export function FilterInput({
  value,
  fields,
  placeholder,
  onChange,
}: {
  value: string;
  fields: readonly FilterField[];
  placeholder: string;
  /** @param goesOn it is the same filter as before, typed on: no step for the browser's Back */
  onChange: (text: string, goesOn: boolean) => void;
}) {
  const [text, setText] = useState(value);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Only what another has put into the address: the own text may have grown since it went there. At once, as
  // the next key may come before effects have run.
  const sent = useRef(value);
  const typing = useRef(false);
  useLayoutEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    typing.current = false;
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const { word, field } = lastWord(text);
  const { data = NOTHING } = useData<CompletionView>(
    open ? `/api/complete?field=${encodeURIComponent(field ?? '')}` : undefined,
    { live: false },
  );
  const offered = open ? suggestions(text, fields, data) : [];

  const sendNow = (next: string) => {
    clearTimeout(timer.current);
    if (next.trim() === sent.current) return;
    sent.current = next.trim();
    onChange(sent.current, typing.current);
    typing.current = true;
  };
  const change = (next: string) => {
    setText(next);
    setChosen(-1);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => sendNow(next), TYPING_MS);
  };
  const take = ({ text: word_ }: Suggestion) => {
    const complete = !/[:=<>]$/.test(word_);
    const next = `${text.slice(0, text.length - word.length)}${word_}${complete ? ' ' : ''}`;
    change(next);
    if (complete) {
      setOpen(false);
      sendNow(next);
      typing.current = false;
    }
    input.current?.focus();
  };

  return (
    <div class="filter-input">
      <input
        ref={input}
        type="search"
        list={undefined}
        data-search
        // biome-ignore lint/a11y/noRedundantRoles: an input has it only with a datalist
        role="combobox"
        aria-label="Filter"
        aria-expanded={offered.length > 0}
        aria-controls="filter-offers"
        aria-autocomplete="list"
        aria-activedescendant={chosen === -1 ? undefined : `filter-offer-${chosen}`}
        placeholder={placeholder}
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setOpen(true);
          change(event.currentTarget.value);
        }}
        onBlur={() => {
          setOpen(false);
          typing.current = false;
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            if (!open) return setOpen(true);
            const step = event.key === 'ArrowDown' ? 1 : -1;
            if (offered.length > 0)
              setChosen((chosen + step + offered.length + (chosen === -1 && step < 0 ? 1 : 0)) % offered.length);
          } else if ((event.key === 'Enter' || event.key === 'Tab') && chosen !== -1 && offered[chosen]) {
            take(offered[chosen]);
          } else if (event.key === 'Enter') {
            setOpen(false);
            sendNow(text);
            typing.current = false;
          } else if (event.key === 'Escape') {
            if (open && offered.length > 0) return setOpen(false);
            setText('');
            sendNow('');
            event.currentTarget.blur();
          } else return;
          event.preventDefault();
        }}
      />
      <div class="offers" id="filter-offers" role="listbox" aria-label="Suggestions" hidden={offered.length === 0}>
        {offered.map((offer, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys, and names the active option
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus
          <div
            key={offer.text}
            id={`filter-offer-${index}`}
            role="option"
            aria-selected={index === chosen}
            // Before the input loses the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(offer)}
          >
            <code>{offer.text}</code> <span class="muted">{offer.says}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
