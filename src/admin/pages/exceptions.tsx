// One list of exceptions: its entries to untick, and an input to add to it, searchable through a native datalist. The
// first button of the form stands here, so that Enter in an input adds and previews, and never saves.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import type { StoredPolicy } from "../../compliance/policy.ts";
import { type Draft, entriesOf, type ListName } from "./draft.ts";
import { asksPreview } from "./live-preview.ts";
import { ORGANIZATION, type PolicyPlace } from "./policy-place.ts";

const WORDS: Record<ListName, { title: string; about: string; noun: "provider" | "model" }> = {
  "providers.block": { title: "Blocked providers", about: "Never used, whatever they meet.", noun: "provider" },
  "providers.allow": {
    title: "Allowed providers",
    about: "When it names any, every other provider is blocked.",
    noun: "provider",
  },
  "models.block": { title: "Blocked models", about: "Never served, by any provider.", noun: "model" },
  "models.allow": { title: "Allowed models", about: "When it names any, every other model is blocked.", noun: "model" },
};

/** The id of a list's element, which a preview replaces when something was added. */
export const listElementId = (list: ListName) => `list-${list.replace(".", "-")}`;

export const Exceptions = ({
  list,
  draft,
  inForce,
  catalog,
  place = ORGANIZATION,
}: {
  list: ListName;
  draft: Draft;
  inForce: StoredPolicy;
  catalog: CatalogIndex | null;
  place?: PolicyPlace;
}) => {
  const { title, about, noun } = WORDS[list];
  const id = listElementId(list);
  const chosen = new Set(entriesOf(draft.policy, list));
  // What is in force but unticked stays in sight, so that it can be ticked again.
  const entries = [...new Set([...entriesOf(inForce, list), ...chosen])];
  const { text, error } = draft.typed[list];
  return (
    <fieldset id={id} class="list" aria-describedby={`${id}-about`}>
      <legend>{title}</legend>
      <p id={`${id}-about`} class="hint">
        {about}
      </p>
      {entries.length > 0 && (
        <div class="entries">
          {entries.map((entry) => (
            <label class="entry">
              <input type="checkbox" name={list} value={entry} checked={chosen.has(entry)} />
              {noun === "provider" && (catalog?.providers.get(entry)?.name ?? "")} <code>{entry}</code>
            </label>
          ))}
        </div>
      )}
      <div class="add">
        <label class="unseen" for={`${id}-add`}>
          Add a {noun} to {title.toLowerCase()}
        </label>
        <input
          type="text"
          id={`${id}-add`}
          name={`add.${list}`}
          value={text}
          list={`${noun}-options`}
          placeholder={`Add a ${noun}…`}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={error ? `${id}-error` : undefined}
        />
        <button
          type="submit"
          name="intent"
          value="preview"
          class="secondary"
          {...asksPreview(place.page)}
          hx-sync="closest form:replace"
        >
          Add<span class="unseen"> to {title.toLowerCase()}</span>
        </button>
      </div>
      {error && (
        <p id={`${id}-error`} class="field-error" role="alert">
          {error}
          <input type="hidden" name="erring" value={list} />
        </p>
      )}
    </fieldset>
  );
};

/** What the inputs suggest. */
export const Options = ({ catalog }: { catalog: CatalogIndex }) => (
  <>
    <datalist id="provider-options">
      {[...catalog.providers.values()].map(({ id, name }) => (
        <option value={id}>{name}</option>
      ))}
    </datalist>
    <datalist id="model-options">
      {[...catalog.models.keys()].map((id) => (
        <option value={id} />
      ))}
    </datalist>
  </>
);
