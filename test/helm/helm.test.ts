import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { projectFolder } from '../../ops/sandbox/folders.ts'
import { settingNames } from '../../src/config.ts'
import { roles } from '../../src/roles.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { type Labels, type Manifest, podsOf, readManifests, typeFaults } from './manifests.ts'
import { chart, noHelm, render } from './render.ts'

const folder = import.meta.dirname
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.values.yaml'))
  .map((file) => file.replace('.values.yaml', ''))
const values = (name: string): string => path.join(folder, `${name}.values.yaml`)
const golden = (name: string): string => path.join(folder, `${name}.golden.yaml`)

/** `HELM_GOLDEN=write` writes the golden files anew: look at what has changed in them. */
const isWriting = process.env.HELM_GOLDEN === 'write'

describe('the chart', { skip: noHelm }, () => {
  for (const name of cases) {
    it(`renders as before with ${name}.values.yaml`, () => {
      const rendered = render(chart, '--values', values(name))
      if (isWriting) writeFileSync(golden(name), rendered)
      assert.equal(rendered, readFileSync(golden(name), 'utf8'))
    })
  }

  it('refuses what it does not know, and what cannot work', () => {
    const refused = (message: RegExp, ...settings: string[]) =>
      assert.throws(
        () => render(chart, '--values', values('least'), ...settings.flatMap((setting) => ['--set', setting])),
        message,
      )
    refused(/replica/, 'roles.worker.replica=3')
    refused(/GATEWAY_ADDR/, 'settings.GATEWAY_ADDR=services')
    refused(/TURNSTILE_PARTITIONS/, 'settings.TURNSTILE_PARTITIONS=many')
    refused(/POSTGRES_URL/, 'settings.POSTGRES_URL=postgres://in-plain-sight')
    refused(/nothing to do/, 'autoscaling.kind=keda', 'autoscaling.maxReplicas=65')
    refused(/expose\.host/, 'expose.enabled=true')
  })

  it('carries alerts and dashboards as they are, whatever stands in them', () => {
    const copy = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'chart-'))
    cpSync(chart, copy, { recursive: true, dereference: true })
    const alerts = {
      groups: [{ name: 'a', rules: [{ alert: 'A', expr: 'up == 0', annotations: { is: '{{ $labels.pod }}' } }] }],
    }
    const dashboard = JSON.stringify({ title: 'Overview', panels: [{ title: '{{ route }}' }] }, undefined, 2)
    mkdirSync(path.join(copy, 'files', 'dashboards'), { recursive: true })
    writeFileSync(path.join(copy, 'files', 'alerts.yaml'), stringify(alerts))
    writeFileSync(path.join(copy, 'files', 'dashboards', 'sample.json'), dashboard)
    const both = ['--set', 'prometheusRule.enabled=true,dashboards.enabled=true']
    const manifests = readManifests(render(copy, '--values', values('least'), ...both))
    assert.deepEqual(manifests.find(({ kind }) => kind === 'PrometheusRule')?.spec, alerts)
    const sample = manifests.find(({ metadata }) => metadata.name === 'turnstile-dashboard-sample')
    assert.equal(sample?.data?.['sample.json']?.trimEnd(), dashboard)
    assert.equal(sample?.metadata.labels.grafana_dashboard, '1')
  })
})

/** These look at the golden files, and so need no helm. */
for (const name of cases) {
  describe(`what ${name}.golden.yaml deploys`, () => {
    const manifests = readManifests(readFileSync(golden(name), 'utf8'))
    const pods = podsOf(manifests)
    const ofKind = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind)

    it('is what Kubernetes takes', () => assert.equal(typeFaults(manifests), ''))

    it('has a Deployment for each role, and nothing twice', () => {
      const started = ofKind('Deployment').map(({ spec }) => spec.template.spec.containers[0].args)
      assert.deepEqual(started.map((args) => args.join(' ')).sort(), roles.map((role) => `run --roles ${role}`).sort())
      const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      assert.equal(new Set(names).size, names.length)
    })

    it('is as restricted as the strictest of the pod security standards', () => {
      for (const { owner, spec } of pods) {
        assert.equal(spec.automountServiceAccountToken, false, owner)
        assert.equal(spec.securityContext?.runAsNonRoot, true, owner)
        assert.equal(spec.securityContext?.seccompProfile?.type, 'RuntimeDefault', owner)
        for (const { securityContext } of spec.containers) {
          assert.equal(securityContext?.readOnlyRootFilesystem, true, owner)
          assert.equal(securityContext?.allowPrivilegeEscalation, false, owner)
          assert.deepEqual(securityContext?.capabilities, { drop: ['ALL'] }, owner)
        }
      }
    })

    it('sets nothing but settings, and nothing secret in plain sight', () => {
      const nodes = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'OPERATOR_PORT']
      for (const { owner, spec } of pods) {
        for (const { name, value } of spec.containers[0]?.env ?? []) {
          assert.ok([...settingNames, ...nodes].includes(name), `${owner}: ${name}`)
          if (name.endsWith('_URL')) assert.equal(value, undefined, `${owner}: ${name}`)
        }
      }
      for (const { data } of ofKind('ConfigMap'))
        for (const name of Object.keys(data ?? {})) assert.ok([...settingNames, ...nodes].includes(name), name)
    })

    it('gives every process the time to drain', () => {
      const settings = ofKind('ConfigMap').find(({ metadata }) => metadata.name === 'turnstile-settings')?.data ?? {}
      const neededMs = Number(settings.TURNSTILE_DRAIN_MS) + Number(settings.TURNSTILE_REQUEST_TIMEOUT_MS) + 15_000
      for (const { spec } of ofKind('Deployment')) {
        assert.ok(spec.template.spec.terminationGracePeriodSeconds * 1_000 >= neededMs)
      }
    })

    it('selects pods that there are, and ports that they have', () => {
      const selected = (selector: Labels) =>
        pods.filter(({ labels }) => Object.entries(selector).every(([key, value]) => labels[key] === value))
      for (const { kind, metadata, spec } of manifests) {
        const constraints: { labelSelector: { matchLabels: Labels } }[] =
          spec?.template?.spec.topologySpreadConstraints ?? []
        const selectors: Labels[] = [
          ...(kind === 'Service' ? [spec.selector] : []),
          ...(kind === 'NetworkPolicy' ? [spec.podSelector.matchLabels] : []),
          ...(kind === 'PodDisruptionBudget' || kind === 'Deployment' ? [spec.selector.matchLabels] : []),
          ...constraints.map(({ labelSelector }) => labelSelector.matchLabels),
        ]
        for (const selector of selectors) assert.ok(selected(selector).length > 0, `${kind} ${metadata.name}`)
      }
      for (const { metadata, spec } of ofKind('Service')) {
        for (const { targetPort } of spec.ports) {
          const having = selected(spec.selector).filter(({ owner }) => !owner.endsWith('-migrate'))
          for (const { owner, spec } of having) {
            const ports = spec.containers[0]?.ports?.map(({ name }) => name)
            assert.ok(ports?.includes(targetPort), `${metadata.name}: ${owner} has no port ${targetPort}`)
          }
        }
      }
    })
  })
}

test('workers are scaled by a metric that there is', async () => {
  const scalers = cases
    .flatMap((name) => readManifests(readFileSync(golden(name), 'utf8')))
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
  assert.equal(scalers.length, 2)
  const names = new Set((await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name))
  for (const { kind, spec } of scalers) {
    const [metric = ''] = /turnstile_\w+/.exec(JSON.stringify(spec)) ?? []
    assert.ok(names.has(metric), `${kind}: ${metric}`)
  }
})

test('the compiler finds what is out of place in a manifest', () => {
  const pod = (spec: object): Manifest => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: {} },
    spec: { containers: [{ name: 'a' }], ...spec },
  })
  const misspelt = pod({ terminationGracePeriod: 5 })
  const incomplete = pod({ containers: [{ name: 'a', livenessProbe: { httpGet: { path: '/health' } } }] })
  const mistyped = pod({ containers: [{ name: 5 }] })
  const faults = typeFaults([misspelt, incomplete, mistyped])
  for (const fault of [/terminationGracePeriod"' does not exist/, /'port' is missing/, /'number' is not assignable/])
    assert.match(faults, fault)
})

test('the chart is of the same version as what it deploys', () => {
  const read = (file: string): string => readFileSync(path.join(projectFolder, file), 'utf8')
  const { version } = JSON.parse(read('package.json'))
  const chart = parse(read('ops/helm/turnstile/Chart.yaml'))
  assert.deepEqual([chart.version, chart.appVersion], [version, version])
})

test('the chart has the alerts and dashboards of ops', () => {
  const ops = path.join(projectFolder, 'ops')
  const dashboards = path.join(ops, 'grafana', 'dashboards')
  const alerts = path.join(ops, 'prometheus', 'alerts.yaml')
  const originals = [
    alerts,
    ...(existsSync(dashboards) ? readdirSync(dashboards) : []).map((name) => path.join(dashboards, name)),
  ]
  for (const original of originals.filter((file) => existsSync(file))) {
    const folder = original === alerts ? 'files' : path.join('files', 'dashboards')
    const copy = path.join(chart, folder, path.basename(original))
    assert.ok(existsSync(copy), `link ${copy} to ${original}`)
    assert.equal(readFileSync(copy, 'utf8'), readFileSync(original, 'utf8'))
  }
})
