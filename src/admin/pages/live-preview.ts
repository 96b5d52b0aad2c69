// How a change in a policy form becomes a new preview: the htmx attributes of whatever asks for it.

/** Asks the page at `page` for fragments; the same preview as a whole page is the form's own `intent=preview`. */
export const asksPreview = (page: string) => ({
  "hx-post": `${page}/preview`,
  "hx-target": "#impact",
  // The newest question wins: an answer that is overtaken is dropped.
  "hx-swap": "outerMorph",
  "hx-indicator": "#impact",
  "hx-status:5xx": "swap:none",
});
