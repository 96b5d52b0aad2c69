// Security events → Retention: the rule in force, since when it counts and what has gone; and, for owners, the form.
import type { SignedCut } from "../../chain/signed-cut.ts";
import type { Settings } from "../../env.ts";
import type { Member } from "../../store/members.ts";
import {
  countsFrom,
  MAX_RETENTION_DAYS,
  MIN_RETENTION_DAYS,
  type Retention,
  removedBefore,
} from "../../store/retention.ts";
import { timestamp } from "../../store/secrets.ts";
import { may } from "../roles.ts";
import { ConfirmPage } from "./confirm-page.tsx";
import { type Fact, FactList } from "./fact-list.tsx";
import { Field } from "./field.tsx";
import { document, Notice } from "./layout.tsx";
import { PostForm } from "./post-form.tsx";
import { type Filled, UNFILLED } from "./posted-fields.ts";
import { daysInWords, questionOf } from "./retention-words.ts";
import { Time } from "./time.tsx";

export const RETENTION_ADDRESS = "/settings/events/retention";
/** What the box of the legal hold sends. */
export const SET = "on";
/** The field that says which rule somebody was shown who confirms a change. */
export const CONFIRMED = "confirmed";

export interface RetentionView {
  member: Member;
  settings: Settings;
  rule: Retention;
  /** What stands for the events that were removed so far. */
  cut: SignedCut | null;
  /** What became of a change that this page follows; it is overtaken where somebody else changed it first. */
  change?: "saved" | "unchanged" | "overtaken" | undefined;
  refused?: Filled;
  now: number;
}

/** Tells one rule from the next. */
export function versionOf({ changed_at }: Retention): string {
  return changed_at ?? "default";
}

export const RetentionPage = (view: RetentionView) => {
  const { member, settings, change } = view;
  return document({
    title: "Retention of events",
    member,
    settings,
    current: "/settings/events",
    children: (
      <>
        <p class="back">
          <a href="/settings/events">Security events</a>
        </p>
        <div class="heading">
          <h1>Retention of events</h1>
          <p class="sub">
            What is older is removed from the beginning of the chain. A signed cut stands for it, so that the chain
            still verifies.
          </p>
        </div>
        {change === "saved" && <Notice kind="good" title="The change is saved, and in the audit log." role="status" />}
        {change === "unchanged" && <Notice kind="good" title="There is nothing to save" role="status" />}
        {change === "overtaken" && (
          <Notice kind="bad" title="Not saved: somebody else changed it at the same time" role="alert">
            <p>Look what holds now, then change it again.</p>
          </Notice>
        )}
        <Facts view={view} />
        {may(member.role, "retention") ? (
          <Change view={view} />
        ) : (
          <p class="hint">An owner of {member.org_name} can change it.</p>
        )}
      </>
    ),
  });
};

const Facts = ({ view }: { view: RetentionView }) => {
  const { rule, cut } = view;
  const facts: Fact[] = [
    ["Kept for", `${daysInWords(rule.days)}${rule.changed_at === null ? ", the default" : ""}`],
    ["Legal hold", rule.legal_hold ? <span class="tag warn">in force</span> : "none"],
    ["Removal", <Removal view={view} />],
    [
      "Removed so far",
      cut === null ? (
        "nothing"
      ) : (
        <>
          up to number {cut.seq.toLocaleString("en")} of the chain, from before <Time at={cut.removed_before} />
        </>
      ),
    ],
    [
      "Last changed",
      rule.changed_at === null ? (
        "never"
      ) : (
        <>
          <Time at={rule.changed_at} /> by {rule.changed_by}
        </>
      ),
    ],
  ];
  return (
    <section class="card" aria-label="What holds">
      <FactList facts={facts} />
    </section>
  );
};

const Removal = ({ view: { rule, settings, now } }: { view: RetentionView }) => {
  if (rule.legal_hold) return <>nothing, while the hold lasts</>;
  const before = removedBefore(rule, now);
  const from = countsFrom(rule);
  if (before === null)
    return (
      <>
        nothing{" "}
        {from && (
          <>
            until <Time at={from} />, a week after the change
          </>
        )}
      </>
    );
  if (settings.AUDIT_SIGNING_KEY === undefined)
    return (
      <>
        nothing: no key signs what would stand for it. The operator sets <code>AUDIT_SIGNING_KEY</code>
      </>
    );
  return (
    <>
      events from before <Time at={before} />
    </>
  );
};

const Change = ({ view: { rule, refused = UNFILLED } }: { view: RetentionView }) => {
  const isSet = (refused.values.legal_hold ?? (rule.legal_hold ? SET : "")) === SET;
  return (
    <section class="card" aria-labelledby="change">
      <h2 id="change">Change it</h2>
      <PostForm action={RETENTION_ADDRESS} class="stacked">
        <Field
          form="retention"
          name="days"
          label="Days to keep events"
          numeric
          filled={refused}
          initial={String(rule.days)}
          maxCharacters={9}
          about={`${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS.toLocaleString("en")}. Each change counts after a week: nothing is removed before.`}
        />
        <div class="choice">
          <input
            type="checkbox"
            id="retention-hold"
            name="legal_hold"
            value={SET}
            checked={isSet}
            aria-describedby="retention-hold-about"
          />
          <label for="retention-hold">Legal hold</label>
          <p id="retention-hold-about">
            Keeps all events, however old, from the moment it is saved until it is lifted.
          </p>
        </div>
        <button type="submit" class="primary">
          Save
        </button>
      </PostForm>
    </section>
  );
};

/** What a change that leads to removal would do. */
export const RetentionConfirmation = ({
  view: { member, settings, rule, now },
  next,
  overtaken,
}: {
  view: RetentionView;
  next: Pick<Retention, "days" | "legal_hold">;
  overtaken: boolean;
}) => {
  const from = countsFrom({ changed_at: timestamp(now) });
  const before = from && removedBefore({ ...next, changed_at: null, changed_by: null }, Date.parse(from));
  return ConfirmPage({
    member,
    settings,
    current: "/settings/events",
    title: questionOf(rule, next),
    error: overtaken ? "Somebody else changed the retention since. This is what your change would do now." : undefined,
    action: RETENTION_ADDRESS,
    fields: { days: next.days, ...(next.legal_hold && { legal_hold: SET }), [CONFIRMED]: versionOf(rule) },
    button: "Save it",
    back: RETENTION_ADDRESS,
    children:
      from && before ? (
        <>
          <p>
            From <Time at={from} /> on, what is older than {daysInWords(next.days)} is removed: at first, events from
            before <Time at={before} />. They do not come back.
          </p>
          <p>Until then it can be changed back. Every owner and admin sees it in the audit log.</p>
        </>
      ) : (
        <p>While a legal hold is in force nothing is removed.</p>
      ),
  });
};
