import { useId, useState } from 'preact/hooks';

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, title: string])[];
  readonly disabled?: boolean;
  readonly onChange: (value: T) => void;
}

export function Select<T extends string>({ label, value, options, disabled, onChange }: SelectProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={({ currentTarget }) => onChange(currentTarget.value as T)}
      >
        {options.map(([key, title]) => (
          <option key={key} value={key} selected={key === value}>
            {title}
          </option>
        ))}
      </select>
    </div>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: number | null;
  readonly least: number;
  readonly most: number;
  /** 'any' for numbers that need not be whole. */
  readonly step?: number | 'any';
  /** What nothing stands for; without it, there must be a number. */
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly onChange: (value: number | null) => void;
}

/** A number; one that is out of its limits is said to be so, in place, and not taken. */
export function NumberField(props: NumberFieldProps) {
  const { label, value, least, most, step = 1, placeholder, disabled, onChange } = props;
  const id = useId();
  const [wrong, setWrong] = useState(false);
  const take = (element: HTMLInputElement): void => {
    const empty = element.value === '' && !element.validity.badInput;
    const fits = empty ? placeholder !== undefined : element.checkValidity();
    setWrong(!fits);
    if (fits) onChange(empty ? null : element.valueAsNumber);
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode={step === 'any' ? 'decimal' : 'numeric'}
        {...{ min: least, max: most, step, placeholder, disabled }}
        value={value ?? ''}
        aria-invalid={wrong}
        aria-describedby={`${id}-rule`}
        onInput={({ currentTarget }) => take(currentTarget)}
      />
      <small id={`${id}-rule`} class={wrong ? 'rule wrong' : 'rule'}>
        {wrong ? `${least} to ${most}${step === 1 ? ', whole' : ''}` : ''}
      </small>
    </div>
  );
}
