import type { Env } from "../src/env.ts";

/** A binding of which some methods are replaced; all else is the real one. */
export function replacing<B extends object>(binding: B, methods: Partial<B>): B {
  return new Proxy(binding, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A database that takes everything but rows of the audit log. */
export function withoutAuditLog({ DB }: Env): D1Database {
  return replacing(DB, {
    prepare(sql: string) {
      if (!sql.startsWith("INSERT INTO audit_log")) return DB.prepare(sql);
      const bind = () => DB.prepare("INSERT INTO no_such_table VALUES (1)");
      return replacing(DB.prepare(sql), { bind });
    },
  });
}

/** A database whose batches wait for one another until there are so many. */
export function together(DB: D1Database, count: number): D1Database {
  let release = () => {};
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  return replacing(DB, {
    batch: async (statements) => {
      if (++waiting === count) release();
      await all;
      return DB.batch(statements) as never;
    },
  });
}
