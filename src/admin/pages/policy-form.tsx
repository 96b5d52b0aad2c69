// The left half of the compliance page: the policy as a form. Everything in it works as a plain form post; where htmx
// runs, any change also asks for a new preview.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { countryName, type StoredPolicy } from "../../compliance/policy.ts";
import { REQUIREMENT_IDS, REQUIREMENTS, type RequirementGroup, requirementOf } from "../../compliance/requirements.ts";
import { type Draft, LISTS } from "./draft.ts";
import { Exceptions, Options } from "./exceptions.tsx";
import { asksPreview } from "./live-preview.ts";
import { ORGANIZATION, type PolicyPlace } from "./policy-place.ts";
import { PostForm } from "./post-form.tsx";

export interface FormView {
  draft: Draft;
  /** The policy in force. */
  inForce: StoredPolicy;
  catalog: CatalogIndex | null;
  readOnly: boolean;
  place?: PolicyPlace;
}

export const PolicyForm = ({ draft, inForce, catalog, readOnly, place = ORGANIZATION }: FormView) => {
  const { policy } = draft;
  return (
    <PostForm
      id="policy"
      class="policy"
      action={place.page}
      autocomplete="off"
      {...asksPreview(place.page)}
      hx-trigger="change"
      hx-sync="this:replace"
    >
      <input type="hidden" name="base" value={draft.base} />
      <fieldset class="group master" disabled={readOnly}>
        <legend>Enforcement</legend>
        <Choice
          type="switch"
          name="enabled"
          value="on"
          checked={policy.enabled}
          label="Enforce this policy"
          description={place.whileOff}
        />
      </fieldset>
      <Requirements group="certifications" title="Certifications" policy={policy} readOnly={readOnly} />
      <Requirements group="data_handling" title="Data handling" policy={policy} readOnly={readOnly} />
      <Requirements group="operator" title="Operator" policy={policy} readOnly={readOnly}>
        <Headquarters policy={policy} catalog={catalog} />
      </Requirements>
      <Foreign policy={policy} readOnly={readOnly} />
      <fieldset class="group" disabled={readOnly}>
        <legend>Exceptions</legend>
        <p class="hint">Exceptions only narrow: a provider on an allow list must still meet every requirement.</p>
        <div class="lists">
          {LISTS.map((list) => (
            <Exceptions list={list} draft={draft} inForce={inForce} catalog={catalog} place={place} />
          ))}
        </div>
        {!readOnly && catalog && <Options catalog={catalog} />}
      </fieldset>
    </PostForm>
  );
};

const Choice = ({
  type,
  name,
  value,
  checked,
  label,
  description,
}: {
  type?: "switch";
  name: string;
  value: string;
  checked: boolean;
  label: string;
  description: string;
}) => {
  const id = `${name}-${value}`;
  return (
    <div class={type ?? "choice"}>
      <input
        type="checkbox"
        role={type}
        id={id}
        name={name}
        value={value}
        checked={checked}
        aria-describedby={`${id}-about`}
      />
      <label for={id}>{label}</label>
      <p id={`${id}-about`}>{description}</p>
    </div>
  );
};

const Requirements = ({
  group,
  title,
  policy,
  readOnly,
  children,
}: {
  group: RequirementGroup;
  title: string;
  policy: StoredPolicy;
  readOnly: boolean;
  children?: unknown;
}) => (
  <fieldset class="group" disabled={readOnly}>
    <legend>{title}</legend>
    {REQUIREMENT_IDS.filter((id) => REQUIREMENTS[id].group === group).map((id) => (
      <Choice
        name="requirements"
        value={id}
        checked={policy.requirements.includes(id)}
        label={REQUIREMENTS[id].label}
        description={REQUIREMENTS[id].description}
      />
    ))}
    {children}
  </fieldset>
);

/** Requirements of a newer version of the gateway: kept, failing every provider, until somebody takes them out. */
const Foreign = ({ policy, readOnly }: { policy: StoredPolicy; readOnly: boolean }) => {
  const foreign = policy.requirements.filter((id) => !requirementOf(id));
  if (foreign.length === 0) return null;
  return (
    <fieldset class="group" disabled={readOnly}>
      <legend>Unknown to this version</legend>
      {foreign.map((id) => (
        <Choice
          name="requirements"
          value={id}
          checked
          label={id}
          description="This version of the gateway cannot check it, so no provider meets it."
        />
      ))}
    </fieldset>
  );
};

const Headquarters = ({ policy, catalog }: { policy: StoredPolicy; catalog: CatalogIndex | null }) => {
  const counted = new Map<string, number>(policy.headquarters.map((code) => [code, 0]));
  let unknown = 0;
  for (const { headquarters } of catalog?.providers.values() ?? []) {
    if (headquarters === null) unknown++;
    else counted.set(headquarters, (counted.get(headquarters) ?? 0) + 1);
  }
  const countries = [...counted]
    .map(([code, providers]) => ({ code, providers, name: countryName(code) ?? code }))
    .sort((a, b) => a.name.localeCompare(b.name, "en"));
  return (
    <fieldset class="countries" aria-describedby="headquarters-about">
      <legend>Headquarters</legend>
      <p id="headquarters-about" class="hint">
        With none ticked, any country passes; otherwise only the ticked ones do, and unknown headquarters fail
        {unknown > 0 && ` (${unknown} in the catalog)`}. Headquarters says who the company is, not where data is
        processed.
      </p>
      <div class="columns">
        {countries.map(({ code, providers, name }) => (
          <label class="country">
            <input type="checkbox" name="headquarters" value={code} checked={policy.headquarters.includes(code)} />
            {name} <span class="number">{providers}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
};
