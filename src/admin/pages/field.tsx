// One labelled input, with what it is for and what is wrong with it.
import type { Filled } from "./posted-fields.ts";

export const Field = ({
  form,
  name,
  label,
  about,
  type = "text",
  numeric = false,
  filled,
  initial = "",
  list,
  required = true,
  maxCharacters = 100,
}: {
  /** The form's name, which keeps ids apart. */
  form: string;
  name: string;
  label: string;
  about?: string;
  type?: "text" | "date";
  /** For a whole number: what a telephone then offers to type. */
  numeric?: boolean;
  filled: Filled;
  /** What stands there before anything was posted. */
  initial?: string;
  list?: string;
  required?: boolean;
  maxCharacters?: number;
}) => {
  const id = `${form}-${name}`;
  const error = filled.errors[name];
  const described = [error && `${id}-error`, about && `${id}-about`].filter((part) => part !== undefined).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        type={type}
        id={id}
        name={name}
        value={filled.values[name] ?? initial}
        list={list}
        required={required}
        maxlength={type === "text" ? maxCharacters : undefined}
        inputmode={numeric ? "numeric" : undefined}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={described || undefined}
      />
      {error && (
        <p id={`${id}-error`} class="field-error" role="alert">
          {label} {error}.
        </p>
      )}
      {about && (
        <p id={`${id}-about`} class="hint">
          {about}
        </p>
      )}
    </div>
  );
};
