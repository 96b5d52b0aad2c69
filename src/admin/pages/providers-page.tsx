// Settings → Providers: who they are, what the policy makes of them, and which of their facts run out or lack a source.

import { countryName } from "../../compliance/policy.ts";
import { ATTRIBUTE_LABELS } from "../../compliance/words.ts";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { apisOf, type JudgedProvider, type ProviderFilter } from "../providers.ts";
import type { InForce } from "../rules-in-force.ts";
import { apisInWords } from "./api-words.ts";
import { FilterForm, SelectField, TextField } from "./filter-form.tsx";
import { addressOf } from "./filters.ts";
import { document } from "./layout.tsx";
import { Pager } from "./pager.tsx";
import { Day } from "./time.tsx";
import { POLICY_OFF, Verdict } from "./verdict.tsx";

export interface ProvidersView {
  member: Member;
  settings: Settings;
  inForce: InForce;
  filters: ProviderFilter;
  /** The place that this page continues after, when it is not the first. */
  after: string | undefined;
  /** The place that the next page continues after. */
  next: string | undefined;
  /** How many providers match on all pages. */
  matching: number;
  providers: readonly JudgedProvider[];
}

const ADDRESS = "/settings/providers";

const VIEWS = [
  { value: "allowed", label: "Allowed" },
  { value: "blocked", label: "Blocked" },
  { value: "expiring", label: "Facts that expire, soonest first" },
  { value: "unsourced", label: "Facts without a source" },
] as const satisfies { value: ProviderFilter["show"]; label: string }[];

export const ProvidersPage = ({
  member,
  settings,
  inForce,
  filters,
  after,
  next,
  matching,
  providers,
}: ProvidersView) =>
  document({
    title: "Providers",
    member,
    settings,
    current: "/settings/providers",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Providers</h1>
          <p class="sub">
            What catalog <code>{inForce.catalog.version}</code> knows of each provider, and what the policy makes of it.
            A fact that is missing or past its last day is unknown, and unknown never satisfies a requirement.
          </p>
        </div>
        <FilterForm action={ADDRESS} filtered={Object.values(filters).some((value) => value !== undefined)}>
          <TextField name="q" label="Search" value={filters.q} />
          <SelectField name="show" label="Show" value={filters.show} any="All" options={VIEWS} />
        </FilterForm>
        <p class="found-count">
          {matching} of {inForce.catalog.providers.size} providers
          {inForce.off && `. ${POLICY_OFF}`}
        </p>
        {providers.length === 0 ? (
          <p class="empty">
            {filters.show === "expiring" && filters.q === undefined && !after
              ? "No fact in this catalog has a stated last day. "
              : "No provider matches. "}
            <a href={ADDRESS}>Show all providers</a>
          </p>
        ) : (
          <Table providers={providers} />
        )}
        <Pager
          of="providers"
          first={after ? { href: addressOf(ADDRESS, { ...filters }), label: "First" } : null}
          next={next ? { href: addressOf(ADDRESS, { ...filters, after: next }), label: "Next" } : null}
        />
      </>
    ),
  });

const Table = ({ providers }: { providers: readonly JudgedProvider[] }) => (
  <table class="listing">
    <thead>
      <tr>
        <th scope="col">Provider</th>
        <th scope="col">Verdict</th>
        <th scope="col">Headquarters</th>
        <th scope="col">Legal entity</th>
        <th scope="col">APIs</th>
        <th scope="col">Models allowed</th>
        <th scope="col">Evidence</th>
      </tr>
    </thead>
    <tbody>
      {providers.map((judged) => (
        <Row judged={judged} />
      ))}
    </tbody>
  </table>
);

const Row = ({ judged }: { judged: JudgedProvider }) => {
  const { provider, verdict, models } = judged;
  const { id, name, headquarters, legalEntity, aggregator } = provider;
  return (
    <tr>
      <th scope="row">
        <a href={`${ADDRESS}/${id}`}>{name}</a> <code>{id}</code>
        {aggregator && <span class="tag warn">Aggregator</span>}
      </th>
      <td>
        <Verdict verdict={verdict} />
      </td>
      <td data-label="Headquarters">
        {headquarters === null ? "unknown" : (countryName(headquarters) ?? headquarters)}
      </td>
      <td data-label="Legal entity">{legalEntity ?? "unknown"}</td>
      <td data-label="APIs">{apisInWords(apisOf(provider))}</td>
      <td data-label="Models allowed">
        {models.allowed} of {models.total}
      </td>
      <td data-label="Evidence">
        <EvidenceState judged={judged} />
      </td>
    </tr>
  );
};

/** Facts that expire, or have, the soonest first; and those that are stated without a source. */
const EvidenceState = ({ judged: { facts, expiring, unsourced } }: { judged: JudgedProvider }) => {
  if (expiring.length === 0 && unsourced.length === 0) return <>no stated expiry</>;
  return (
    <ul class="evidence-state">
      {expiring.map(({ attribute, lastDay }) => (
        <li>
          {ATTRIBUTE_LABELS[attribute]}:{" "}
          {facts.expired[attribute] ? (
            <>
              <span class="no-source">unknown</span>, expired on <Day date={lastDay} />
            </>
          ) : (
            <>
              valid until <Day date={lastDay} />
            </>
          )}
        </li>
      ))}
      {unsourced.length > 0 && (
        <li>
          <span class="no-source">no source</span>:{" "}
          {unsourced.map((attribute) => ATTRIBUTE_LABELS[attribute]).join(", ")}
        </li>
      )}
    </ul>
  );
};
