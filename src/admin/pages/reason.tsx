// Why something is saved: the field, and what was typed in it.
import { MAX_REASON_CHARACTERS, Reason } from "../api/request.ts";
import { checkGiven } from "../field-words.ts";

export interface TypedReason {
  text: string;
  error: string | null;
}

export const NO_REASON: TypedReason = { text: "", error: null };

/** What a form says; nothing typed is no reason. */
export function typedReason(form: URLSearchParams): TypedReason {
  const text = (form.get("reason") ?? "").trim();
  const parsed = text === "" ? null : checkGiven(Reason, text);
  return { text, error: parsed?.error ? `The reason ${parsed.error.issues[0]?.message}.` : null };
}

/** A live preview leaves it alone: somebody may be typing. */
export const ReasonField = ({ typed: { text, error }, form }: { typed: TypedReason; form: string }) => (
  <div class="field reason">
    <label for="reason">
      Reason <span class="number">(optional, kept with the revision)</span>
    </label>
    <input
      type="text"
      id="reason"
      name="reason"
      form={form}
      value={text}
      maxlength={MAX_REASON_CHARACTERS}
      autocomplete="off"
      hx-morph-skip=""
      aria-invalid={error ? "true" : undefined}
      aria-describedby={error ? "reason-error" : undefined}
    />
    {error && (
      <p id="reason-error" class="field-error" role="alert">
        {error}
      </p>
    )}
  </div>
);
