// Whose policy a form is about: where its page is, and what being switched off means there.

export interface PolicyPlace {
  readonly page: string;
  /** About the switch, and above an impact while it is off. */
  readonly whileOff: string;
  readonly off: string;
}

export const ORGANIZATION: PolicyPlace = {
  page: "/settings/compliance",
  whileOff: "While it is off, every provider passes. Nothing below is lost.",
  off: "The policy is off: every provider passes.",
};

export const projectPlace = (project: string): PolicyPlace => ({
  page: `/settings/projects/${project}`,
  whileOff: "While it is off, the organization's policy applies to the project alone. Nothing below is lost.",
  off: "The project's policy is off: the organization's applies to it alone.",
});
