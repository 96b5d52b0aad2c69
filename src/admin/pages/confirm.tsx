// The second word that a save needs when no provider would be left, or when nobody can tell.
import { CONFIRM_NO_PROVIDERS, DOUBTS, type Doubt } from "../confirmation.ts";

/** Whether a form says it. */
export function isConfirmed(form: URLSearchParams | null): boolean {
  return form?.get("confirm") === CONFIRM_NO_PROVIDERS;
}

export const Confirm = ({ doubt, ticked, form }: { doubt: Doubt; ticked: boolean; form: string }) => (
  <label class="confirm">
    <input type="checkbox" name="confirm" value={CONFIRM_NO_PROVIDERS} form={form} checked={ticked} />
    <span>
      {DOUBTS[doubt]} <strong>Save it all the same</strong>
    </span>
  </label>
);
