// Settings → Projects & keys: the projects, the keys, and the forms that make them. A new key is shown on this page once.
import type { Settings } from "../../env.ts";
import type { ApiKey } from "../../store/keys.ts";
import type { Member } from "../../store/members.ts";
import type { ListedProject } from "../../store/projects.ts";
import { addressOf } from "./filters.ts";
import { KeysTable, LastUsed } from "./keys-table.tsx";
import { document, Notice } from "./layout.tsx";
import { NewSecret } from "./new-secret.tsx";
import { Pager } from "./pager.tsx";
import type { Filled } from "./posted-fields.ts";
import { NewKey, NewProject } from "./project-makers.tsx";
import { Time } from "./time.tsx";

export interface ProjectsView {
  member: Member;
  settings: Settings;
  projects: readonly (ListedProject & { hasPolicy: boolean })[];
  keys: readonly ApiKey[];
  /** The query of this page, and what the next pages continue after. */
  asked: { project: string | undefined; after: string | undefined; before: string | undefined };
  next: { after: string | undefined; before: string | undefined };
  created?: { name: string; key: string; note: string | undefined } | undefined;
  /** A form that was refused. */
  refused?: { form: "key" | "project"; filled: Filled } | undefined;
  now: number;
}

export const ProjectsPage = (view: ProjectsView) => {
  const { member, settings, projects, created } = view;
  return document({
    title: "Projects & keys",
    member,
    settings,
    current: "/settings/projects",
    wide: true,
    children: (
      <>
        <div class="heading">
          <h1>Projects & keys</h1>
          <p class="sub">
            Requests carry a key, a key belongs to a project, and a project may carry a policy narrower than that of{" "}
            {member.org_name}.
          </p>
        </div>
        {created && <Created {...created} />}
        <div class="makers">
          <NewKey view={view} />
          <NewProject view={view} />
        </div>
        <h2 class="list-title">Projects</h2>
        {projects.length === 0 ? (
          <p class="empty">
            {view.asked.after ? "No more projects." : "There is no project yet. A first key makes one."}
          </p>
        ) : (
          <Projects projects={projects} />
        )}
        <Pager
          of="projects"
          first={view.asked.after ? { href: address({ ...view.asked, after: undefined }), label: "First" } : null}
          next={view.next.after ? { href: address({ ...view.asked, after: view.next.after }), label: "More" } : null}
        />
        <Keys view={view} />
      </>
    ),
  });
};

const address = (query: ProjectsView["asked"]) => addressOf("/settings/projects", query);

/** There is no second chance to read the key. */
const Created = ({ name, key, note }: { name: string; key: string; note: string | undefined }) => (
  <Notice kind={note ? "warn" : "good"} title={`The key ${name} is created`} role="status" id="created">
    <p>Copy it now: only its hash is kept, so it is never shown again.</p>
    <NewSecret secret={key} page="/settings/projects" />
    {note && <p>{note}</p>}
  </Notice>
);

const Projects = ({ projects }: Pick<ProjectsView, "projects">) => (
  <table class="listing wraps">
    <thead>
      <tr>
        <th scope="col">Project</th>
        <th scope="col">Policy</th>
        <th scope="col">Keys in use</th>
        <th scope="col">Last used</th>
        <th scope="col">Created</th>
      </tr>
    </thead>
    <tbody>
      {projects.map((project) => (
        <tr>
          <td>
            <a href={`/settings/projects/${project.id}`}>{project.name}</a>
            {project.name !== project.id && (
              <>
                <br />
                <code>{project.id}</code>
              </>
            )}
          </td>
          <td data-label="Policy">{project.hasPolicy ? "the organization's and its own" : "the organization's"}</td>
          <td data-label="Keys in use">
            <a href={`/settings/projects?project=${project.id}#keys`}>
              {project.keys}
              <span class="unseen"> keys of {project.id}</span>
            </a>
          </td>
          <td data-label="Last used">
            <LastUsed on={project.last_used_on} />
          </td>
          <td data-label="Created">
            <Time at={project.created_at} /> <span class="by">by {project.created_by}</span>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Keys = ({ view: { keys, asked, next, now } }: { view: ProjectsView }) => (
  <>
    <div class="list-head">
      <h2 class="list-title" id="keys">
        Keys{asked.project && ` of ${asked.project}`}
      </h2>
      <search>
        <form method="get" action="/settings/projects" class="narrow">
          <label class="unseen" for="of-project">
            Show the keys of one project
          </label>
          <input
            type="text"
            id="of-project"
            name="project"
            value={asked.project ?? ""}
            list="project-options"
            placeholder="Project…"
            autocomplete="off"
            spellcheck={false}
          />
          <button type="submit" class="secondary">
            Show
          </button>
          {asked.project && (
            <a class="button quiet" href="/settings/projects#keys">
              All
            </a>
          )}
        </form>
      </search>
    </div>
    {keys.length === 0 ? (
      <p class="empty">{asked.project || asked.before ? "No key matches." : "There is no key yet."}</p>
    ) : (
      <KeysTable keys={keys} now={now} />
    )}
    <p class="hint">
      When a key was last used is noted once a day, and not guaranteed. A change of a key is usually in force everywhere
      within a minute; the platform promises no bound.
    </p>
    <Pager
      of="keys"
      first={asked.before ? { href: `${address({ ...asked, before: undefined })}#keys`, label: "First" } : null}
      next={next.before ? { href: `${address({ ...asked, before: next.before })}#keys`, label: "More" } : null}
    />
  </>
);
