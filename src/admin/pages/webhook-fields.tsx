// The fields of a webhook: where to, and in which format.
import { WEBHOOK_FORMATS, type WebhookFormat } from "../../store/webhook-message.ts";
import { Field } from "./field.tsx";
import type { Filled } from "./posted-fields.ts";

const FORMATS: Readonly<Record<WebhookFormat, string>> = {
  json: "JSON: the event with its place in the chain",
  ocsf: "OCSF 1.8.0: API Activity",
};

export const WebhookFields = ({
  form,
  filled,
  initial = { url: "", format: "json" },
}: {
  form: string;
  filled: Filled;
  initial?: { url: string; format: WebhookFormat };
}) => {
  const chosen = filled.values.format ?? initial.format;
  const error = filled.errors.format;
  return (
    <>
      <Field
        form={form}
        name="url"
        label="Address"
        filled={filled}
        initial={initial.url}
        maxCharacters={2048}
        about="https, at port 443 of a public host. Redirects are not followed."
      />
      <div class="field">
        <label for={`${form}-format`}>Format</label>
        <select
          id={`${form}-format`}
          name="format"
          aria-invalid={error ? "true" : undefined}
          aria-describedby={error ? `${form}-format-error` : undefined}
        >
          {WEBHOOK_FORMATS.map((format) => (
            <option value={format} selected={format === chosen}>
              {FORMATS[format]}
            </option>
          ))}
        </select>
        {error && (
          <p id={`${form}-format-error`} class="field-error" role="alert">
            Choose one of the formats.
          </p>
        )}
      </div>
    </>
  );
};
