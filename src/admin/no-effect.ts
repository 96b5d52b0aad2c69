// Where a project's policy asks for less than the organization's, in sentences: that much of it has no effect, since both
// apply. Explains the composition; decides nothing. Pure.
import { countryName, type StoredPolicy } from "../compliance/policy.ts";
import { requirementOf } from "../compliance/requirements.ts";
import { series } from "./change-in-words.ts";

/** A part of a project's policy that changes nothing, by its path, and why. */
export interface NoEffect {
  path: "enabled" | "requirements" | "headquarters" | `${Kind}.${"allow" | "block"}`;
  /** The ids or countries that it is about; empty when it is about all. */
  entries: string[];
  message: string;
}
type Kind = "providers" | "models";

/** What in `project` tries to be wider than `organization`. Nothing, while the organization's policy is off. */
export function withoutEffect(organization: StoredPolicy, project: StoredPolicy): NoEffect[] {
  if (!organization.enabled) return [];
  if (!project.enabled)
    return [
      {
        path: "enabled",
        entries: [],
        message:
          "Switching this policy off does not switch off the organization's, which still applies to the project.",
      },
    ];
  return [
    ...leftOutRequirements(organization, project),
    ...headquarters(organization.headquarters, project.headquarters),
    ...listed("providers", organization.providers, project.providers),
    ...listed("models", organization.models, project.models),
  ];
}

function leftOutRequirements({ requirements }: StoredPolicy, project: StoredPolicy): NoEffect[] {
  const entries = requirements.filter((id) => !project.requirements.includes(id));
  if (entries.length === 0) return [];
  const labels = series(entries.map((id) => requirementOf(id)?.label ?? id));
  const message = `The organization requires ${labels}. Leaving ${them(entries)} out here does not lift ${them(entries)}.`;
  return [{ path: "requirements", entries, message }];
}

function headquarters(organizations: readonly string[], projects: readonly string[]): NoEffect[] {
  if (organizations.length === 0) return [];
  const named = (codes: readonly string[]) => series(codes.map((code) => countryName(code) ?? code));
  if (projects.length === 0) {
    const message = `The organization restricts headquarters to ${named(organizations)}. Naming no country here does not lift that.`;
    return [{ path: "headquarters", entries: [], message }];
  }
  const entries = projects.filter((code) => !organizations.includes(code));
  if (entries.length === 0) return [];
  const message = `The organization does not allow headquarters in ${named(entries)}. Naming ${them(entries)} here does not allow ${them(entries)}.`;
  return [{ path: "headquarters", entries, message }];
}

function listed(kind: Kind, organization: StoredPolicy[Kind], project: StoredPolicy[Kind]): NoEffect[] {
  const notes: NoEffect[] = [];
  const note = (effect: "allow" | "block", entries: string[], message: string) => {
    if (entries.length > 0) notes.push({ path: `${kind}.${effect}`, entries, message });
  };
  const blocked = project.allow.filter((id) => organization.block.includes(id));
  note(
    "allow",
    blocked,
    `The organization blocks ${series(blocked)}. Allowing ${them(blocked)} here does not unblock ${them(blocked)}.`,
  );
  if (organization.allow.length > 0) {
    const others = project.allow.filter((id) => !organization.allow.includes(id) && !blocked.includes(id));
    note(
      "allow",
      others,
      `The organization allows only listed ${kind}, and ${series(others)} ${are(others)} not among them. Allowing ${them(others)} here changes nothing.`,
    );
    if (project.allow.length === 0)
      notes.push({
        path: `${kind}.allow`,
        entries: [],
        message: `The organization allows only listed ${kind}. Listing none here does not lift that.`,
      });
  }
  const unblocked = organization.block.filter((id) => !project.block.includes(id) && !project.allow.includes(id));
  note(
    "block",
    unblocked,
    `The organization blocks ${series(unblocked)}. Leaving ${them(unblocked)} out here does not unblock ${them(unblocked)}.`,
  );
  return notes;
}

const them = (entries: readonly string[]) => (entries.length === 1 ? "it" : "them");
const are = (entries: readonly string[]) => (entries.length === 1 ? "is" : "are");
