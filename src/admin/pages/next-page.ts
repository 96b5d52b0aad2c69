// Where a sign-in, or the choice of an organization, ends. Pure.

/** From here everybody is led to the first page that their role may see. */
const HOME = "/settings";

/** Only a settings page of this site: an address from outside must not choose it. */
export function nextPage(asked: string | null | undefined): string {
  const here = "https://here.invalid";
  const url = asked ? URL.parse(asked, here) : null;
  return url && url.origin === here && url.pathname.startsWith("/settings/") ? url.pathname + url.search : HOME;
}
