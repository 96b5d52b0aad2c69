// The filter above a list: a plain form whose fields end up in the address.
import type { PropsWithChildren } from "hono/jsx";

/** `filtered` offers to clear what is filtered by; `flow` lets the fields take as many columns as there is room for. */
export const FilterForm = ({
  action,
  filtered,
  flow,
  children,
}: PropsWithChildren<{ action: string; filtered: boolean; flow?: boolean }>) => (
  <search>
    <form method="get" action={action} class={flow ? "filter flow" : "filter"}>
      {children}
      <div class="buttons">
        <button type="submit" class="secondary">
          Filter
        </button>
        {filtered && (
          <a class="button quiet" href={action}>
            Clear
          </a>
        )}
      </div>
    </form>
  </search>
);

interface FieldProps {
  name: string;
  label: string;
  value: string | undefined;
}

/** `options` are suggested; anything may be typed. */
export const TextField = ({
  name,
  label,
  value,
  type = "text",
  options,
}: FieldProps & { type?: "text" | "date"; options?: readonly Option[] }) => (
  <div class="field">
    <label for={`filter-${name}`}>{label}</label>
    <input
      type={type}
      id={`filter-${name}`}
      name={name}
      value={value ?? ""}
      list={options && `${name}-options`}
      autocomplete="off"
      spellcheck={false}
    />
    {options && (
      <datalist id={`${name}-options`}>
        {options.map(({ value: option, label: text }) => (
          <option value={option}>{text}</option>
        ))}
      </datalist>
    )}
  </div>
);

interface Option {
  value: string;
  label?: string;
}

/** A value that is none of the options, from an address, stands among them as it is. */
export const SelectField = ({
  name,
  label,
  value,
  any,
  options,
}: FieldProps & { any: string; options: readonly Option[] }) => {
  const unlisted = value !== undefined && !options.some((option) => option.value === value);
  return (
    <div class="field">
      <label for={`filter-${name}`}>{label}</label>
      <select id={`filter-${name}`} name={name}>
        <option value="">{any}</option>
        {[...options, ...(unlisted ? [{ value, label: value }] : [])].map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label ?? option.value}
          </option>
        ))}
      </select>
    </div>
  );
};

export const CheckField = ({ name, label, checked }: { name: string; label: string; checked: boolean }) => (
  <div class="check">
    <input type="checkbox" id={`filter-${name}`} name={name} value="true" checked={checked} />
    <label for={`filter-${name}`}>{label}</label>
  </div>
);
