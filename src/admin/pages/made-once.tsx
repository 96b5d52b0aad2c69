// What a form makes, it makes once. The id of what will be made is chosen where the form is rendered, so that the same form
// sent again, by a reload or a second click, finds that made already and makes no second secret. A webhook leaves
// nothing to be found once it is removed; then its form makes it anew.
import { newId, timeOfId } from "../../store/secrets.ts";
import { invalid, Problem } from "../problem.ts";

const FIELD = "new_id";

/** Lists are ordered by id, so that an id of any time would let somebody hide what they make behind all that is older. */
const OLDEST_FORM_MS = 7 * 86_400_000;
/** As much as the clocks of two locations may differ. */
const CLOCK_SKEW_MS = 60_000;

const ONCE = "Its secret was shown once. If you did not keep it,";
const ALREADY = {
  key: { title: "This key was created already", detail: `${ONCE} revoke it and create another.`, label: "The key" },
  tok: { title: "This token was issued already", detail: `${ONCE} revoke it and issue another.`, label: "The tokens" },
  whk: { title: "This webhook was set up already", detail: `${ONCE} rotate it.`, label: "The webhook" },
} as const;
type Kind = keyof typeof ALREADY;

export const NewId = ({ kind }: { kind: Kind }) => <input type="hidden" name={FIELD} value={newId(kind)} />;

/**
 * Makes what a form asks for, under the id that it brought. Throws 409 when the organization has that already (`found`),
 * leading to its `page`, or when the form is too old, and 400 for an id that no form of ours brings.
 */
export async function madeOnce<T>(
  form: URLSearchParams,
  {
    kind,
    make,
    found,
    page,
  }: {
    kind: Kind;
    make: (id: string) => Promise<T>;
    found: (id: string) => Promise<unknown>;
    page: (id: string) => string;
  },
): Promise<T> {
  const id = form.get(FIELD) ?? "";
  const opened = timeOfId(kind, id);
  if (opened === null) throw invalid([{ path: "", message: "This is not a form that the page sends." }]);
  const age = Date.now() - opened;
  if (age > OLDEST_FORM_MS || age < -CLOCK_SKEW_MS) throw tooOld();
  try {
    return await make(id);
  } catch (error) {
    // The primary key refused it, or a limit that the first one reached.
    if (!(await found(id))) throw error;
    const { title, detail, label } = ALREADY[kind];
    throw new Problem({ status: 409, code: "conflict", title, detail, wayOn: { href: page(id), label } });
  }
}

function tooOld(): Problem {
  return new Problem({
    status: 409,
    code: "conflict",
    title: "This form is too old",
    detail: "Nothing was changed. Go back, reload the page, and fill the form in again.",
  });
}
