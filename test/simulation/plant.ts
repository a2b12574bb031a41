/** @returns what puts the original back */
export function replace<T extends object, Name extends keyof T>(target: T, name: Name, by: T[Name]): () => void {
  const original = target[name]
  target[name] = by
  return () => {
    target[name] = original
  }
}
