// An operation as a command to paste.
import type { Parameter } from "./document.ts";
import type { Operation } from "./operation.ts";

/** A curl command; address and token come from the environment, as the command line of this repository has them. */
export function curlOf({ method, path, who, body }: Operation, parameters: readonly Parameter[]): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((parameter) => parameter.in === "path" && parameter.name === name)?.example;
    return encodeURIComponent(String(example));
  });
  const required = parameters.filter((parameter) => parameter.in === "query" && parameter.required);
  const search = required.map(({ name, schema }) => `${name}=${(schema.enum as string[] | undefined)?.[0] ?? ""}`);
  const address = [filled, ...(search.length > 0 ? [search.join("&")] : [])].join("?");
  const verb = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  const headers = [
    ...(who === "anybody" ? [] : [`-H "Authorization: Bearer $PORTCULLIS_TOKEN"`]),
    ...parameters
      .filter((parameter) => parameter.in === "header")
      .map(({ name, example }) => `-H '${name}: ${example}'`),
    ...(body ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(body.example)}'`] : []),
  ];
  return [`curl${verb} "$PORTCULLIS_URL${address}"`, ...headers].join(" \\\n  ");
}
