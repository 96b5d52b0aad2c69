// Settings → Models: every model with its providers, the verdict on each, and why. The one page that developers see:
// it shows verdicts and their reasons, and nothing else of the policy.
import { API_IDS, type Mapping } from "../../catalog/schema.ts";
import type { Settings } from "../../env.ts";
import { knownPrice } from "../../routing/preferences.ts";
import type { Member } from "../../store/members.ts";
import type { JudgedModel, ModelFilter, Offer } from "../models.ts";
import type { InForce } from "../rules-in-force.ts";
import { API_LABELS, apisInWords } from "./api-words.ts";
import { CheckField, FilterForm, SelectField, TextField } from "./filter-form.tsx";
import { addressOf } from "./filters.ts";
import { document } from "./layout.tsx";
import { Pager } from "./pager.tsx";
import { Day } from "./time.tsx";
import { POLICY_OFF, Verdict } from "./verdict.tsx";

export interface ModelsView {
  member: Member;
  settings: Settings;
  inForce: InForce;
  filters: ModelFilter & { readonly project?: string | undefined };
  /** The model that this page continues after, when it is not the first. */
  after: string | undefined;
  /** The model that the next page continues after. */
  next: string | undefined;
  /** How many models match on all pages. */
  matching: number;
  models: readonly JudgedModel[];
}

const ADDRESS = "/settings/models";

export const ModelsPage = (view: ModelsView) => {
  const { member, settings, inForce, filters, after, next, matching, models } = view;
  const { project } = filters;
  return document({
    title: "Models",
    member,
    settings,
    current: "/settings/models",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Models</h1>
          <p class="sub">
            What the policy of {project === undefined ? member.org_name : <>the project {project}</>} lets you call, and
            why not the rest. Name a model alone, and the gateway goes only to its allowed providers; name one as{" "}
            <code>provider/model</code>, and it goes there or nowhere.
          </p>
        </div>
        <Filter filters={filters} inForce={inForce} />
        <p class="found-count">
          {matching} of {inForce.catalog.models.size} models
          {inForce.off && `. ${POLICY_OFF}`}
        </p>
        {models.length === 0 ? (
          <p class="empty">
            No {after ? "further " : ""}model matches. <a href={ADDRESS}>Show all models</a>
          </p>
        ) : (
          <Table models={models} />
        )}
        <Pager
          of="models"
          first={after ? { href: addressOf(ADDRESS, { ...filters }), label: "First" } : null}
          next={next ? { href: addressOf(ADDRESS, { ...filters, after: next }), label: "Next" } : null}
        />
      </>
    ),
  });
};

const Filter = ({ filters, inForce: { catalog, projects } }: Pick<ModelsView, "filters" | "inForce">) => {
  const providers = [...catalog.providers.values()].map(({ id, name }) => ({ value: id, label: name }));
  const apis = API_IDS.map((id) => ({ value: id, label: API_LABELS[id] }));
  return (
    <FilterForm action={ADDRESS} filtered={Object.values(filters).some((value) => value !== undefined)} flow>
      <TextField name="q" label="Search" value={filters.q} />
      <SelectField name="provider" label="Provider" value={filters.provider} any="Any" options={providers} />
      <SelectField name="api" label="API" value={filters.api} any="Any" options={apis} />
      {projects.length > 0 && (
        <SelectField
          name="project"
          label="Judged for"
          value={filters.project}
          any="The organization"
          options={projects.map((id) => ({ value: id, label: `Project ${id}` }))}
        />
      )}
      <div class="checks">
        <CheckField name="allowed" label="Allowed only" checked={filters.allowed === true} />
        <CheckField name="live" label="Without retired" checked={filters.live === true} />
      </div>
    </FilterForm>
  );
};

const Table = ({ models }: { models: readonly JudgedModel[] }) => (
  <table class="listing models">
    <thead>
      <tr>
        <th scope="col">Model</th>
        <th scope="col">Provider</th>
        <th scope="col">Verdict</th>
        <th scope="col">APIs</th>
        <th scope="col" class="figure">
          Context, tokens
        </th>
        <th scope="col" class="figure">
          In / out, USD per million tokens
        </th>
      </tr>
    </thead>
    {models.map((judged) => (
      <tbody>
        <Rows judged={judged} />
      </tbody>
    ))}
  </table>
);

const Rows = ({ judged }: { judged: JudgedModel }) => {
  const { offers } = judged;
  if (offers.length === 0)
    return (
      <tr>
        <ModelCell judged={judged} />
        <td colspan={5}>No provider serves it.</td>
      </tr>
    );
  return (
    <>
      {offers.map((offer, index) => (
        <tr>
          {index === 0 && <ModelCell judged={judged} />}
          <td>
            <code>{offer.candidate.provider.id}</code>
          </td>
          <td>
            <Verdict verdict={offer.verdict} />
            <Retirement offer={offer} />
          </td>
          <td data-label="APIs">{apisInWords(offer.candidate.mapping.apis)}</td>
          <td data-label="Context" class="figure">
            {offer.candidate.mapping.context?.toLocaleString("en") ?? "unknown"}
          </td>
          <td data-label="In / out per million tokens" class="figure">
            {priceInWords(offer.candidate.mapping.price)}
          </td>
        </tr>
      ))}
    </>
  );
};

const ModelCell = ({ judged: { model, offers, allowed, live } }: { judged: JudgedModel }) => (
  <th scope="rowgroup" rowspan={Math.max(1, offers.length)}>
    <code>{model.id}</code>{" "}
    {live ? (
      <span class={`tag ${allowed ? "allowed" : "blocked"}`}>{allowed ? "Allowed" : "Blocked"}</span>
    ) : (
      <span class="tag">Retired</span>
    )}
    <span class="also">{[model.name, ...(model.aliases ?? [])].join(", ")}</span>
  </th>
);

const Retirement = ({ offer: { candidate, live } }: { offer: Offer }) => {
  const { deactivatedAt } = candidate.mapping;
  if (deactivatedAt === undefined) return null;
  return (
    <span class="retirement">
      {live ? "retires on" : "retired on"} <Day date={deactivatedAt} />
    </span>
  );
};

const dollars = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 4,
});

function priceInWords(price: Mapping["price"]): string {
  const { input, output } = knownPrice(price);
  if (!Number.isFinite(input)) return "unknown";
  return price.free ? "free" : `${dollars.format(input)} / ${dollars.format(output)}`;
}
