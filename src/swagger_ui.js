// Plugins of Swagger UI that make the page ready sooner: it would resolve the references of the whole document first.
() => {
  /** The document with no more than a path and the components that it refers to. */
  const only = (spec, path) => {
    const components = { securitySchemes: spec.components.securitySchemes };
    const visit = (value) => {
      if (value === null || typeof value !== "object") return;
      const [, kind, name] = /^#\/components\/([^/]+)\/(.+)$/.exec(value.$ref ?? "") ?? [];
      if (kind && !components[kind]?.[name]) {
        (components[kind] ??= {})[name] = spec.components[kind][name];
        visit(components[kind][name]);
      }
      Object.values(value).forEach(visit);
    };
    visit(spec.paths[path]);
    return { ...spec, paths: { [path]: spec.paths[path] }, components };
  };
  return {
    statePlugins: { spec: { wrapActions: {
      // Asked for before anything is shown, in case that a security scheme is a reference. None is.
      requestResolvedSubtree: (resolve) => (path) => (path[0] === "components" ? undefined : resolve(path)),
    } } },
    afterLoad() {
      const { resolveSubtree } = this.fn;
      this.fn.resolveSubtree = (spec, path, options) =>
        resolveSubtree(path[0] === "paths" ? only(spec, path[1]) : spec, path, options);
    },
  };
},
