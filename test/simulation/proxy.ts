/** The same thing but for these methods. Also for classes with private fields, which a plain copy would lose. */
export function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>()
  return new Proxy(target, {
    get(_, property) {
      if (property in methods) return methods[property as keyof T]
      const value = target[property as keyof T]
      if (typeof value !== 'function') return value
      if (!bound.has(property)) bound.set(property, value.bind(target))
      return bound.get(property)
    },
  })
}
