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
