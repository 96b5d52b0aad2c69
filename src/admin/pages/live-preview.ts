// How a change in the policy form becomes a new preview: one path, and the htmx attributes of whatever asks for it.

/** Answers with fragments; the same preview as a whole page is the form's own `intent=preview`. */
export const PREVIEW_PATH = "/settings/compliance/preview";

/** The newest question wins: an answer that is overtaken is dropped. */
export const ASKS_PREVIEW = {
  "hx-post": PREVIEW_PATH,
  "hx-target": "#impact",
  "hx-swap": "outerMorph",
  "hx-indicator": "#impact",
  "hx-status:5xx": "swap:none",
};
