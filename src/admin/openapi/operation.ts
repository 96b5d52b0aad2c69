// A call of the admin API, said once: the document, the reference page and the tests all read it. Its schemas are those
// that the handler itself parses with and answers by.
import type * as z from "zod";
import type { ProblemCode, ProblemStatus } from "../problem.ts";
import type { Permission } from "../roles.ts";

/** Schemas by their names in the document, as in `{ NewOrg }`; more than one are alternatives. */
export type Named = Readonly<Record<string, z.ZodType>>;

/** A part of the path, such as `{org}`: what to put there. */
export interface PathParameter {
  readonly description: string;
  readonly example: string;
}

/** What is sent as JSON. */
export interface Body {
  readonly schema: Named;
  readonly example: unknown;
  /** May be left out. */
  readonly optional?: true;
}

/** A JSON answer. */
export interface JsonAnswer {
  readonly status?: 201;
  readonly schema: Named;
  readonly example: unknown;
  readonly headers?: readonly ("etag" | "location")[];
}

/** An answer without a body: 204. */
export interface EmptyAnswer {
  readonly empty: true;
}

/** An answer that is text, by its media type: a file, or a page. */
export interface TextAnswer {
  readonly texts: Readonly<Record<string, { readonly description: string; readonly lines?: Named }>>;
}

export interface Operation {
  /** Unique, for generated clients. */
  readonly id: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As in the URL, with `{parts}` named as the route names them. */
  readonly path: string;
  /** A few words, in the imperative. */
  readonly summary: string;
  /** What the summary leaves open, in a sentence or three. */
  readonly details?: string;
  /** The permission that the handler asks for; the operator alone; or anybody, without a token. */
  readonly who: Permission | "operator" | "anybody";
  /** Who else may, and when. */
  readonly also?: string;
  /** Parts of the path that are not what they usually are. */
  readonly parameters?: Readonly<Record<string, PathParameter>>;
  readonly query?: z.ZodObject;
  readonly ifMatch?: "required" | "optional";
  readonly body?: Body;
  readonly answer: JsonAnswer | TextAnswer | EmptyAnswer;
  /** Beside those that follow from all of the above. */
  readonly problems?: Partial<Record<ProblemStatus, readonly ProblemCode[]>>;
}

/** Operations that belong together. */
export interface Group {
  readonly title: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

/** Where everything of an organization is. */
export const ORG_PATH = "/admin/api/orgs/{org}";
