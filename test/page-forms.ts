// The forms of a page that change something, as a browser reads them out of its HTML.

export interface PageForm {
  /** Below /settings. */
  action: string;
  /** What it sends although nobody types it. */
  hidden: Record<string, string>;
}

/** The forms of a page that are posted. */
export function postFormsIn(html: string): PageForm[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)]
    .filter(([, attributes = ""]) => /\bmethod="post"/i.test(attributes))
    .map(([, attributes = "", content = ""]) => ({
      action: attributeIn(attributes, "action").replace(/^\/settings/, ""),
      hidden: Object.fromEntries(
        [...content.matchAll(/<input\b[^>]*\btype="hidden"[^>]*>/g)].map(([input]) => [
          attributeIn(input, "name"),
          attributeIn(input, "value"),
        ]),
      ),
    }));
}

const attributeIn = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
