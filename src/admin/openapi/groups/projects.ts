// Projects, and the narrower policy that one may carry.
import { PageQuery } from "../../api/page.ts";
import { PolicyBody, PolicyQuery } from "../../api/policy.ts";
import { ProjectPolicyAnswer, ProjectPolicySavedAnswer, ProjectPreviewAnswer } from "../../api/project-policy.ts";
import { NewProject, ProjectAnswer, ProjectChange, ProjectsAnswer, RemovedProjectAnswer } from "../../api/projects.ts";
import { AT, OWNER, POLICY, PREVIEW, REVISED } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const PROJECT = { id: "web", name: "Website", created_at: AT, created_by: OWNER };
const PROJECT_PATH = `${ORG_PATH}/projects/{project}`;
const OF_PROJECT = { project: "web", policy: POLICY, no_effect: [], ...REVISED };

export const projects: Group = {
  title: "Projects",
  description:
    "What keys belong to. A project may carry a policy of its own, which applies beside the organization's and so can only narrow it; `no_effect` says what in it asks for less.",
  operations: [
    {
      id: "createProject",
      method: "post",
      path: `${ORG_PATH}/projects`,
      summary: "Create a project",
      who: "keys",
      body: { schema: { NewProject }, example: { id: "web", name: "Website" } },
      answer: { status: 201, schema: { ProjectAnswer }, example: PROJECT },
      problems: { 409: ["conflict"] },
    },
    {
      id: "listProjects",
      method: "get",
      path: `${ORG_PATH}/projects`,
      summary: "List the projects, by id",
      who: "keys",
      query: PageQuery,
      answer: {
        schema: { ProjectsAnswer },
        example: {
          data: [{ ...PROJECT, keys: 2, last_used_on: "2026-11-23", has_policy: true }],
          next_cursor: null,
        },
      },
    },
    {
      id: "renameProject",
      method: "patch",
      path: PROJECT_PATH,
      summary: "Rename a project",
      who: "keys",
      body: { schema: { ProjectChange }, example: { name: "Website and shop" } },
      answer: { schema: { ProjectAnswer }, example: { ...PROJECT, name: "Website and shop" } },
    },
    {
      id: "removeProject",
      method: "delete",
      path: PROJECT_PATH,
      summary: "Remove a project that never had a key and carries no policy",
      who: "keys",
      answer: { schema: { RemovedProjectAnswer }, example: { id: "web" } },
      problems: { 409: ["project_in_use"] },
    },
    {
      id: "readProjectPolicy",
      method: "get",
      path: `${PROJECT_PATH}/policy`,
      summary: "Read a project's own policy",
      details: "`policy` is null while the organization's applies alone.",
      who: "policy",
      answer: { schema: { ProjectPolicyAnswer }, example: OF_PROJECT, headers: ["etag"] },
    },
    {
      id: "saveProjectPolicy",
      method: "put",
      path: `${PROJECT_PATH}/policy`,
      summary: "Save a project's own policy, as a revision of the organization",
      who: "policy",
      query: PolicyQuery,
      ifMatch: "required",
      body: { schema: { Policy: PolicyBody }, example: POLICY },
      answer: {
        schema: { ProjectPolicySavedAnswer },
        example: { ...OF_PROJECT, change: "Project web: now blocks xai.", published: true },
        headers: ["etag"],
      },
      problems: { 403: ["plan_required"], 409: ["confirmation_required"] },
    },
    {
      id: "removeProjectPolicy",
      method: "delete",
      path: `${PROJECT_PATH}/policy`,
      summary: "Take a project's own policy away",
      who: "policy",
      query: PolicyQuery,
      ifMatch: "required",
      answer: {
        schema: { ProjectPolicySavedAnswer },
        example: {
          ...OF_PROJECT,
          policy: null,
          change: "Project web: no longer has a policy of its own.",
          published: true,
        },
        headers: ["etag"],
      },
      problems: { 403: ["plan_required"] },
    },
    {
      id: "previewProjectPolicy",
      method: "post",
      path: `${PROJECT_PATH}/policy/preview`,
      summary: "See what a draft of a project's policy would do",
      details: "Together with the organization's; `from` says whose policy a failure is of.",
      who: "policy",
      body: { schema: { Policy: PolicyBody }, example: POLICY },
      answer: { schema: { ProjectPreviewAnswer }, example: { ...PREVIEW, no_effect: [] } },
    },
  ],
};
