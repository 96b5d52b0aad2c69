// The document and the page themselves.
import * as z from "zod";
import type { Group } from "../operation.ts";

const OpenApiDocument = z.looseObject({ openapi: z.literal("3.1.1") });

export const reference: Group = {
  title: "This reference",
  description: "What you are reading, for people and for machines.",
  operations: [
    {
      id: "readOpenApi",
      method: "get",
      path: "/admin/api/openapi.json",
      summary: "Read this document as OpenAPI 3.1",
      who: "anybody",
      answer: { schema: { OpenApiDocument }, example: { openapi: "3.1.1" } },
    },
    {
      id: "readReference",
      method: "get",
      path: "/admin/api/docs",
      summary: "Read this reference as a page",
      who: "anybody",
      answer: { texts: { "text/html": { description: "The page." } } },
    },
  ],
};
