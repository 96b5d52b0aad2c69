// The least a proxy Worker can do: it streams the body on without reading it.
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return fetch(new Request(env.SANDBOX_UPSTREAM + pathname, request));
  },
};
