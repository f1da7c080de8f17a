/** The router in front of several pods, in Kubernetes. */
import {keySecret, podText, service} from './pod.ts'
import {gatewayFlags, PROXY_ENVIRONMENT, PROXY_TEMPLATE, proxyTemplate, routerName, routerOf} from './router.ts'
import {keyVariable, type Startable} from './startable.ts'
import {flagWords} from './words.ts'
import {remarked} from './yaml.ts'

type Mapping = Record<string, unknown>

/** Names of all pods that answer, one address each. */
const serversService = ({name}: Startable): string => `${name}-servers`

/** The router with what it needs: rights to look pods up, or a name that all of them are found by. `front`: the Service that leads to it; `selector`: labels of the pods that answer. */
export function routerDocuments(startable: Startable, selector: Record<string, string>, front: string): Mapping[] {
  const router = routerOf(startable, true)
  const entrance = service(startable, front, {app: routerName(startable)})
  if (router.kind === 'gateway') return [...lookingRights(startable), routerDeployment(startable, selector), entrance]
  const {port} = startable
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name: serversService(startable)},
      spec: {clusterIP: remarked('None', 'the router sees each pod'), selector, ports: [{name: 'http', port, targetPort: 'http'}]},
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {name: routerName(startable)},
      data: {'default.conf.template': proxyTemplate(startable, ['${SERVERS}'])},
    },
    routerDeployment(startable, selector),
    entrance,
  ]
}

/** Who may see which pods there are, in this namespace alone. */
function lookingRights(startable: Startable): Mapping[] {
  const name = routerName(startable)
  return [
    {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name}},
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: {name},
      rules: [{apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch']}],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: {name},
      subjects: [{kind: 'ServiceAccount', name}],
      roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name},
    },
  ]
}

/** The namespace that a pod lives in. */
const NAMESPACE = {name: 'NAMESPACE', valueFrom: {fieldRef: {fieldPath: 'metadata.namespace'}}}

function routerDeployment(startable: Startable, selector: Record<string, string>): Mapping {
  const {port} = startable
  const own = routerName(startable)
  const router = routerOf(startable, true)
  const key = keyVariable(startable)
  const container =
    router.kind === 'gateway'
      ? {
          args: [
            ...gatewayFlags(startable, [
              {flag: '--service-discovery', value: true, because: 'pods are found by their label'},
              {flag: '--selector', value: Object.entries(selector).map(([key, value]) => `${key}=${value}`), because: 'those that answer requests'},
              {flag: '--service-discovery-port', value: port, because: 'where they answer'},
            ]).flatMap((flag) => flagWords(flag).map((word, index) => remarked(podText(String(word)), index === 0 ? flag.because : undefined))),
            '--service-discovery-namespace',
            '$(NAMESPACE)',
            ...(key === undefined ? [] : ['--api-key', `$(${key})`]),
          ],
          env: [NAMESPACE, ...(key === undefined ? [] : [{name: key, valueFrom: {secretKeyRef: {name: keySecret(startable), key}}}])],
        }
      : {
          env: [
            NAMESPACE,
            {
              name: 'SERVERS',
              value: remarked(`${serversService(startable)}.$(NAMESPACE).svc.cluster.local`, 'where the cluster has another domain: write it here'),
            },
            ...PROXY_ENVIRONMENT.map(({name: variable, value, because}) => ({name: variable, value: remarked(value, because)})),
          ],
          volumeMounts: [{name: 'config', mountPath: PROXY_TEMPLATE.slice(0, PROXY_TEMPLATE.lastIndexOf('/'))}],
        }
  const probe = {httpGet: {path: router.healthPath, port: 'http'}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3}
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: own, labels: {app: own}},
    spec: {
      replicas: 1,
      selector: {matchLabels: {app: own}},
      template: {
        metadata: {labels: {app: own}},
        spec: {
          containers: [
            {
              name: 'router',
              image: remarked(router.image, router.because),
              ...container,
              ports: [{name: 'http', containerPort: port}],
              readinessProbe: probe,
              securityContext: {allowPrivilegeEscalation: false},
            },
          ],
          ...(router.kind === 'gateway'
            ? {serviceAccountName: own}
            : {automountServiceAccountToken: false, volumes: [{name: 'config', configMap: {name: own}}]}),
          enableServiceLinks: false,
        },
      },
    },
  }
}
