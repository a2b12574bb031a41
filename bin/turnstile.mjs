#!/usr/bin/env node
// The command line, `turnstile run` and the others: TypeScript as it stands in src, run through tsx.
import { register } from 'tsx/esm/api'

register()
await import('../src/main.ts')
