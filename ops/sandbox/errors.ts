/**
 * A fault that whoever runs the sandbox can do something about. Its message says what happened and what to do, and is
 * printed without a stack; every other error is a bug and is printed with one.
 */
export class SandboxError extends Error {
  readonly code: 'port-in-use' | 'broken-data' | 'died' | 'not-ready' | 'missing-tool' | 'bad-setting' | 'stopping'

  constructor(code: SandboxError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SandboxError'
    this.code = code
  }
}
