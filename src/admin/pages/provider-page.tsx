// One provider: the verdict, each fact with what it rests on, its APIs and its own pages.
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import { ATTRIBUTES, apisOf, type JudgedProvider } from "../providers.ts";
import type { InForce } from "../rules-in-force.ts";
import { API_LABELS } from "./api-words.ts";
import { EvidenceList, Reason } from "./evidence.tsx";
import { ExternalLink } from "./external-link.tsx";
import { FactList } from "./fact-list.tsx";
import { addressOf } from "./filters.ts";
import { document } from "./layout.tsx";
import { POLICY_OFF } from "./verdict.tsx";

export interface ProviderView {
  member: Member;
  settings: Settings;
  judged: JudgedProvider;
  inForce: InForce;
}

export const ProviderPage = ({ member, settings, judged, inForce }: ProviderView) => {
  const { provider } = judged;
  return document({
    title: provider.name,
    member,
    settings,
    current: "/settings/providers",
    children: (
      <>
        <p class="back">
          <a href="/settings/providers">Providers</a>
        </p>
        <div class="heading">
          <h1>
            {provider.name} <code>{provider.id}</code>
          </h1>
          <p class="sub">
            As catalog <code>{inForce.catalog.version}</code> knows it, under revision {inForce.record.revision} of the
            policy.
          </p>
        </div>
        <VerdictCard judged={judged} off={inForce.off} />
        <section class="card" aria-labelledby="facts">
          <h2 id="facts">Facts and evidence</h2>
          <p class="aside">
            Headquarters says who the company is, not where data is processed. A fact past its last day is unknown.
          </p>
          <EvidenceList provider={provider} attributes={ATTRIBUTES} now={inForce.now} />
        </section>
        <Interfaces judged={judged} />
        <Links judged={judged} />
      </>
    ),
  });
};

const VerdictCard = ({ judged: { provider, verdict, models }, off }: { judged: JudgedProvider; off: boolean }) => (
  <section class="card" aria-labelledby="verdict">
    <h2 id="verdict">
      Verdict: <span class={verdict.allowed ? "allowed" : "blocked"}>{verdict.allowed ? "allowed" : "blocked"}</span>
    </h2>
    {verdict.failures.length > 0 && (
      <ul class="reasons">
        {verdict.failures.map((failure) => (
          <Reason failure={failure} />
        ))}
      </ul>
    )}
    {off && <p>{POLICY_OFF}.</p>}
    <p>
      The policy lets it serve{" "}
      <a href={addressOf("/settings/models", { provider: provider.id })}>
        {models.allowed} of {models.total} models
      </a>
      ; each is judged by itself, since some carry facts of their own.
    </p>
  </section>
);

const Interfaces = ({ judged: { provider } }: { judged: JudgedProvider }) => {
  const apis = apisOf(provider);
  return (
    <section class="card" aria-labelledby="apis">
      <h2 id="apis">APIs</h2>
      {apis.length === 0 ? (
        <p>None that the gateway can call, so nothing is routed to it yet.</p>
      ) : (
        <FactList facts={apis.map((api) => [API_LABELS[api], <code>{provider.apis[api]?.url}</code>])} />
      )}
    </section>
  );
};

const Links = ({ judged: { provider } }: { judged: JudgedProvider }) => {
  const { website, terms, privacy, usage, status } = provider.links;
  const links = [
    ...Object.entries({ Website: website, Terms: terms, Privacy: privacy, "Usage policy": usage, Status: status }),
    ...provider.trustLinks.map((href) => ["Trust page", href] as const),
  ];
  const known = links.flatMap(([label, href]) => (href === null ? [] : [{ label, href }]));
  if (known.length === 0) return null;
  return (
    <section class="card" aria-labelledby="links">
      <h2 id="links">Its own pages</h2>
      <ul class="prose">
        {known.map(({ label, href }) => (
          <li>
            {label}: <ExternalLink href={href} />
          </li>
        ))}
      </ul>
    </section>
  );
};
