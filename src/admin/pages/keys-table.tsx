// API keys as a table that turns into cards on a phone.
import type { ApiKey } from "../../store/keys.ts";
import { edgeLag, keyState } from "./key-words.ts";
import { Day, Time } from "./time.tsx";

export const KeysTable = ({ keys, now }: { keys: readonly ApiKey[]; now: number }) => (
  <table class="listing wraps">
    <thead>
      <tr>
        <th scope="col">Key</th>
        <th scope="col">Project</th>
        <th scope="col">State</th>
        <th scope="col">Last used</th>
        <th scope="col">Expires</th>
        <th scope="col">Created</th>
      </tr>
    </thead>
    <tbody>
      {keys.map((key) => (
        <tr>
          <td>
            <a href={`/settings/keys/${key.id}`}>{key.name}</a>
            <br />
            <code>{key.prefix}…</code>
          </td>
          <td data-label="Project">
            <a href={`/settings/projects/${key.project}`}>{key.project}</a>
          </td>
          <td data-label="State">
            <KeyState apiKey={key} now={now} />
          </td>
          <td data-label="Last used">
            <LastUsed on={key.last_used_on} />
          </td>
          <td data-label="Expires">{key.expires_at === null ? "never" : <Time at={key.expires_at} />}</td>
          <td data-label="Created">
            <Time at={key.created_at} /> <span class="by">by {key.created_by}</span>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

export const KeyState = ({ apiKey, now }: { apiKey: ApiKey; now: number }) => {
  const state = keyState(apiKey, now);
  const lag = edgeLag(apiKey);
  return (
    <>
      <span class={state === "active" ? "tag allowed" : "tag"}>{state}</span>{" "}
      {lag && <span class="tag warn">{lag}</span>}
    </>
  );
};

export const LastUsed = ({ on }: { on: string | null }) => (on === null ? <>not yet</> : <Day date={on} />);
