// Settings → Projects & keys → one project: its name, and its own policy beside what both policies together would do.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { EMPTY_POLICY, type StoredPolicy } from "../../compliance/policy.ts";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import type { Org } from "../../store/orgs.ts";
import type { Project } from "../../store/projects.ts";
import type { Revision } from "../../store/revisions.ts";
import { doubtOf } from "../confirmation.ts";
import type { NoEffect } from "../no-effect.ts";
import type { Draft } from "./draft.ts";
import { Exceptions } from "./exceptions.tsx";
import { Field } from "./field.tsx";
import { Fragments } from "./fragments.tsx";
import { type ImpactOutcome, ImpactPanel } from "./impact-panel.tsx";
import { document, Notice } from "./layout.tsx";
import { Outstanding } from "./outstanding.tsx";
import { PolicyForm } from "./policy-form.tsx";
import { projectPlace } from "./policy-place.ts";
import { PostForm } from "./post-form.tsx";
import type { Filled } from "./posted-fields.ts";
import type { TypedReason } from "./reason.tsx";
import { SaveBar } from "./save-bar.tsx";
import { Time } from "./time.tsx";

/** Everything that the page shows. */
export interface ProjectView {
  member: Member;
  settings: Settings;
  org: Org;
  project: Project;
  /** Whether it never had a key, so that it can be removed once it carries no policy. */
  neverUsed: boolean;
  catalog: CatalogIndex | null;
  newest: Revision;
  /** Revisions that others saved since the form was opened, newest first. */
  since: readonly Revision[];
  draft: Draft;
  /** The project's own policy in force; null when it carries none. */
  own: StoredPolicy | null;
  outcome: ImpactOutcome;
  noEffect: readonly NoEffect[];
  renaming: Filled;
  reason: TypedReason;
  /** Whether the form says to save although no provider would be left. */
  confirmed: boolean;
  message?: { kind: "good" | "bad"; title: string; lines: readonly string[] } | undefined;
  now: number;
}

export const ProjectPage = (view: ProjectView) => {
  const { member, settings, org, project, newest, own, draft, message, catalog } = view;
  const readOnly = org.plan !== "enterprise";
  const { revision } = newest.record;
  const place = projectPlace(project.id);
  return document({
    title: `Project ${project.name}`,
    member,
    settings,
    current: "/settings/projects",
    wide: true,
    children: (
      <>
        <p class="back">
          <a href="/settings/projects">Projects & keys</a>
        </p>
        <Heading view={view} />
        {message && (
          <Notice kind={message.kind} title={message.title} role={message.kind === "good" ? "status" : "alert"}>
            {message.lines.map((line) => (
              <p>{line}</p>
            ))}
          </Notice>
        )}
        <Outstanding org={org} revision={revision} />
        {readOnly && <ReadOnly view={view} />}
        <div class={readOnly ? "split read-only" : "split"}>
          <PolicyForm draft={draft} inForce={own ?? EMPTY_POLICY} catalog={catalog} readOnly={readOnly} place={place} />
          <Panel {...view} />
        </div>
        <Manage view={view} readOnly={readOnly} />
        {!readOnly && <Bar {...view} />}
      </>
    ),
  });
};

/** What a live preview replaces. */
export const ProjectFragments = ({ touched, ...view }: ProjectView & { touched: ReadonlySet<string> }) => (
  <Fragments panel={<Panel {...view} />} bar={<Bar {...view} />} touched={touched}>
    {(list) => (
      <Exceptions
        list={list}
        draft={view.draft}
        inForce={view.own ?? EMPTY_POLICY}
        catalog={view.catalog}
        place={projectPlace(view.project.id)}
      />
    )}
  </Fragments>
);

const Heading = ({ view: { member, project, own, newest } }: { view: ProjectView }) => (
  <div class="heading">
    <h1>
      {project.name} <code>{project.id}</code>
    </h1>
    <p class="sub">
      {own
        ? `Its own policy and that of ${member.org_name} both apply to every request with its keys.`
        : `It carries no policy of its own: that of ${member.org_name} applies.`}{" "}
      What is saved here can only narrow that. Revision {newest.record.revision}. Created by {project.created_by},{" "}
      <Time at={project.created_at} />. <a href={`/settings/projects?project=${project.id}#keys`}>Its keys</a>
    </p>
  </div>
);

const Panel = ({ outcome, draft, newest, project, noEffect, now }: ProjectView) => (
  <ImpactPanel
    outcome={outcome}
    enabled={draft.policy.enabled}
    revision={newest.record.revision}
    now={now}
    place={projectPlace(project.id)}
  >
    {noEffect.length > 0 && (
      <div id="no-effect" class="notice warn">
        <p class="notice-title">Without effect: it cannot be wider than the organization's policy</p>
        <ul class="prose">
          {noEffect.map(({ message }) => (
            <li>{message}</li>
          ))}
        </ul>
      </div>
    )}
  </ImpactPanel>
);

const Bar = ({ draft, newest, own, since, outcome, project, reason, confirmed }: ProjectView) => (
  <SaveBar
    reason={reason}
    doubt={doubtOf(draft.policy, outcome.ok ? outcome.impact.summary : null)}
    confirmed={confirmed}
    base={draft.base}
    draft={draft.policy}
    newest={newest}
    inForce={own ?? EMPTY_POLICY}
    place={projectPlace(project.id)}
    since={since}
    tally={outcome.ok ? outcome.impact.summary.providers : null}
  />
);

const ReadOnly = ({ view: { member, org, own, newest, project } }: { view: ProjectView }) => (
  <Notice kind="warn" title="The project's policy can be read here, not changed">
    <p>
      Editing it is part of the enterprise plan, and {member.org_name} is on the {org.plan} plan.{" "}
      {own?.enabled && "The stored policy stays enforced on every request."}
    </p>
    {member.role === "owner" && own?.enabled && (
      <PostForm action={`${projectPlace(project.id).page}/switch-off`}>
        <input type="hidden" name="base" value={newest.record.revision} />
        <p>
          As an owner you may switch it off. The organization's policy then applies alone, and on this plan this one
          cannot be switched on again.
        </p>
        <button type="submit" class="danger">
          Switch off
        </button>
      </PostForm>
    )}
  </Notice>
);

const Manage = ({
  view: { project, own, neverUsed, renaming },
  readOnly,
}: {
  view: ProjectView;
  readOnly: boolean;
}) => {
  const { page } = projectPlace(project.id);
  return (
    <section class="card changes manage" aria-label="The project itself">
      <PostForm action={`${page}/name`} class="line-form">
        <Field
          form="rename"
          name="name"
          label="Name"
          filled={renaming}
          initial={project.name}
          about="For people. The id never changes."
        />
        <button type="submit" class="secondary">
          Rename
        </button>
      </PostForm>
      {own && !readOnly && (
        <p>
          <a class="button danger" href={`${page}/remove-policy`}>
            Remove its policy…
          </a>
        </p>
      )}
      {!own && neverUsed && (
        <p>
          <a class="button danger" href={`${page}/remove`}>
            Remove project…
          </a>
        </p>
      )}
    </section>
  );
};
