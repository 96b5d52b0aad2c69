// An address as members are known by: one member whatever its case.
import * as z from "zod";

export const Email = z.email("must be an email address").max(254).toLowerCase();
