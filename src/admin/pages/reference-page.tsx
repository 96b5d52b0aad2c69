// The reference of the admin API, for people: rendered from the OpenAPI document, so that it says nothing else.
import type { Answered, DocumentedOperation, OpenApi } from "../openapi/document.ts";
import { document } from "./layout.tsx";
import { FieldList, Fields, Parameters, Prose } from "./reference-schema.tsx";
import { componentOf } from "./schema-words.ts";

interface Call {
  method: string;
  path: string;
  operation: DocumentedOperation;
}

export const ReferencePage = (api: OpenApi) => {
  const calls = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Call => ({ method: method.toUpperCase(), path, operation })),
  );
  const groups = api.tags.map((tag) => ({
    ...tag,
    calls: calls.filter(({ operation }) => operation.tags[0] === tag.name),
  }));
  const common = commonCodes(calls);
  return document({
    title: "Admin API",
    member: null,
    wide: true,
    children: (
      <div class="reference">
        <nav class="contents" aria-label="Calls">
          <ul>
            {groups.map((group) => (
              <li>
                <a href={`#${anchorOf(group.name)}`}>{group.name}</a>
                <ul>
                  {group.calls.map(({ operation }) => (
                    <li>
                      <a href={`#${operation.operationId}`}>{operation.summary}</a>
                    </li>
                  ))}
                </ul>
              </li>
            ))}
            <li>
              <a href="#schemas">Schemas</a>
            </li>
          </ul>
        </nav>
        <div>
          <Introduction api={api} />
          <article class="card" aria-labelledby="every-call">
            <h2 id="every-call">What every call may be answered with</h2>
            <Problems of={problemsOf(calls).filter(({ code }) => common.has(code))} api={api} />
          </article>
          {groups.map((group) => (
            <section aria-labelledby={anchorOf(group.name)}>
              <h2 id={anchorOf(group.name)}>{group.name}</h2>
              <p class="sub">
                <Prose text={group.description} />
              </p>
              {group.calls.map((call) => (
                <Operation call={call} api={api} common={common} />
              ))}
            </section>
          ))}
          <section aria-labelledby="schemas">
            <h2 id="schemas">Schemas</h2>
            {Object.entries(api.components.schemas).map(([name, schema]) => (
              <article class="card" aria-labelledby={`schema-${name}`}>
                <h3 id={`schema-${name}`}>{name}</h3>
                {schema.anyOf ? (
                  schema.anyOf.map((each, index) => (
                    <>
                      {index > 0 && <p class="or">or</p>}
                      <FieldList schema={each} />
                    </>
                  ))
                ) : (
                  <FieldList schema={schema} />
                )}
              </article>
            ))}
          </section>
        </div>
      </div>
    ),
  });
};

const Introduction = ({ api: { info } }: { api: OpenApi }) => (
  <div class="heading">
    <h1>{info.title}</h1>
    {info.description.split("\n\n").map((paragraph) => (
      <p class="sub">
        <Prose text={paragraph} />
      </p>
    ))}
    <p class="sub">
      For machines: <a href="/admin/api/openapi.json">OpenAPI 3.1</a>. The examples take the address and the token from{" "}
      <code>PORTCULLIS_URL</code> and <code>PORTCULLIS_TOKEN</code>.
    </p>
  </div>
);

const Operation = ({ call, api, common }: { call: Call; api: OpenApi; common: ReadonlySet<string> }) => {
  const { method, path, operation } = call;
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const problems = problemsOf([call]).filter(({ code }) => !common.has(code));
  const [sample] = operation["x-codeSamples"];
  const body = requestBody?.content["application/json"];
  return (
    <article class="card" aria-labelledby={operationId}>
      <h3 id={operationId}>{summary}</h3>
      <p class="call">
        <strong class={`method ${method.toLowerCase()}`}>{method}</strong> <code>{path}</code>
      </p>
      {description !== undefined && (
        <p>
          <Prose text={description} />
        </p>
      )}
      <p class="aside">Who may: {operation["x-who-may"]}</p>
      {parameters && (
        <>
          <h4>Parameters</h4>
          <Parameters parameters={parameters} />
        </>
      )}
      {body && (
        <>
          <h4>Body{requestBody?.required === false && ", which may be left out"}</h4>
          <Fields schema={body.schema} components={api.components.schemas} />
        </>
      )}
      <h4>Example</h4>
      <pre>
        <code>{sample.source}</code>
      </pre>
      {Object.entries(responses)
        .filter(([status]) => Number(status) < 400)
        .map(([status, answered]) => (
          <Success status={status} answered={answered} api={api} />
        ))}
      {problems.length > 0 && (
        <>
          <h4>Problems</h4>
          <Problems of={problems} api={api} />
        </>
      )}
    </article>
  );
};

const Success = ({ status, answered, api }: { status: string; answered: Answered; api: OpenApi }) => (
  <>
    <h4>Answer {status}</h4>
    {!answered.content && <p>{answered.description}</p>}
    {answered.headers && (
      <dl class="fields">
        {Object.entries(answered.headers).map(([name, { description }]) => (
          <div>
            <dt>
              <code>{name}</code>
              <span class="where"> header</span>
            </dt>
            <dd>{description}</dd>
          </div>
        ))}
      </dl>
    )}
    {Object.entries(answered.content ?? {}).map(([type, { schema, example, "x-lines": lines }]) =>
      example === undefined ? (
        <p>
          <code>{type}</code>: {schema.description}{" "}
          {lines?.$ref !== undefined && <a href={`#schema-${componentOf(lines.$ref)}`}>{componentOf(lines.$ref)}</a>}
        </p>
      ) : (
        <>
          <Fields schema={schema} components={api.components.schemas} />
          <pre>
            <code>{shown(example)}</code>
          </pre>
        </>
      ),
    )}
  </>
);

interface DocumentedProblem {
  status: string;
  code: string;
}

const Problems = ({ of, api }: { of: readonly DocumentedProblem[]; api: OpenApi }) => (
  <dl class="fields">
    {of.map(({ status, code }) => (
      <div>
        <dt>
          {status} <code>{code}</code>
        </dt>
        <dd>
          <Prose text={api.components.examples[code]?.value.detail ?? ""} />
        </dd>
      </div>
    ))}
  </dl>
);

/** The problems of these calls, each once. */
function problemsOf(calls: readonly Call[]): DocumentedProblem[] {
  const found = new Map<string, DocumentedProblem>();
  for (const { operation } of calls)
    for (const [status, { content }] of Object.entries(operation.responses))
      for (const code of Object.keys(content?.["application/problem+json"]?.examples ?? {}))
        found.set(code, { status, code });
  return [...found.values()];
}

/** The codes that every call with a token shares. */
function commonCodes(calls: readonly Call[]): ReadonlySet<string> {
  const withToken = calls.filter(({ operation }) => operation.security.length > 0);
  const each = withToken.map((call) => new Set(problemsOf([call]).map(({ code }) => code)));
  const [first = new Set<string>()] = each;
  return new Set([...first].filter((code) => each.every((codes) => codes.has(code))));
}

/** JSON to read: short lists stay on one line. */
function shown(example: unknown): string {
  return JSON.stringify(example, null, 2).replaceAll(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, items: string) => `[${items.replaceAll(/\n\s*/g, " ")}]`,
  );
}

function anchorOf(group: string): string {
  return group.toLowerCase().replaceAll(/[^a-z]+/g, "-");
}
