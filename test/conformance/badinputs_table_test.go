//go:build conformance

package conformance

import (
	"strings"
)

// badInput is a TenantContainer that must be refused, and what the refusal must say.
type badInput struct {
	// spec holds the fields of spec beside a good image, one YAML mapping. A case that is about something else gives
	// the whole object instead.
	spec, object string
	// says are parts of the message: the path of the field, the value, and what is allowed.
	says []string
}

// named is a good object of that name, as it stands in YAML.
func named(name string) string {
	return "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: " + name + "}\nspec: {image: registry.example/shop:1}\n"
}

// badInputs is ordered by what a tenant might be after.
var badInputs = map[string]badInput{
	// Fields that are not ours.
	"UnknownField":       {spec: `{privileged: true}`, says: []string{`unknown field "spec.privileged"`}},
	"WrongCase":          {spec: `{Replicas: 3}`, says: []string{`unknown field "spec.Replicas"`}},
	"UnknownNestedField": {spec: `{security: {seccomp: Unconfined}}`, says: []string{`unknown field "spec.security.seccomp"`}},
	"CapabilityaddLower": {spec: `{security: {capabilities: {capabilityadd: [SYS_ADMIN]}}}`, says: []string{`unknown field "spec.security.capabilities.capabilityadd"`}},
	"NetworkHost":        {spec: `{networks: [host]}`, says: []string{`unknown field "spec.networks"`}},
	"BindMount":          {spec: `{volumes: [{type: bind, source: /}]}`, says: []string{`unknown field "spec.volumes[0].source"`, `unknown field "spec.volumes[0].type"`}},
	"Mounts":             {spec: `{mounts: [{source: /var/run/docker.sock}]}`, says: []string{`unknown field "spec.mounts"`}},
	"SecretByID":         {spec: `{files: [{path: /a, secretKeyRef: {id: abc, name: a, key: b}}]}`, says: []string{`unknown field "spec.files[0].secretKeyRef.id"`}},
	"HealthCheckHost":    {spec: `{healthCheck: {httpGet: {port: 80, host: 169.254.169.254}}}`, says: []string{`unknown field "spec.healthCheck.httpGet.host"`}},
	"PidMode":            {spec: `{pidMode: host}`, says: []string{`unknown field "spec.pidMode"`}},
	"Runtime":            {spec: `{runtime: plugin}`, says: []string{`unknown field "spec.runtime"`}},
	"Groups":             {spec: `{security: {groups: ["0", "998"]}}`, says: []string{`unknown field "spec.security.groups"`}},
	"ConfigTemplating":   {spec: `{files: [{path: /a, templating: golang, configMapKeyRef: {name: a, key: b}}]}`, says: []string{`unknown field "spec.files[0].templating"`}},
	"DuplicateKey":       {spec: "{replicas: 1, replicas: 2}", says: []string{"replicas", "already set"}},
	"WrongKind":          {object: strings.Replace(named("web"), "TenantContainer", "Deployment", 1), says: []string{"Deployment", "TenantContainer"}},
	"WrongVersion":       {object: strings.Replace(named("web"), "v1alpha1", "v9", 1), says: []string{`version "v9"`, "cannot be handled"}},
	"ForeignNamespace":   {object: strings.Replace(named("web"), "name: web", "name: web, namespace: kube-system", 1), says: []string{"namespace of the provided object does not match"}},
	"NoSpec":             {object: "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\n", says: []string{"spec", "Required value"}},
	"NoImage":            {object: "apiVersion: dogker.io/v1alpha1\nkind: TenantContainer\nmetadata: {name: web}\nspec: {}\n", says: []string{"spec.image", "Required value"}},
	"NotYAML":            {object: "apiVersion: [", says: []string{"yaml"}},
	"YAMLBomb":           {object: yamlBomb, says: []string{"document contains excessive aliasing"}},
	"DeepNesting":        {spec: `{args: ` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, says: []string{"exceeded max depth"}},

	// Names.
	"NameTooLong":       {object: named(strings.Repeat("a", 64)), says: []string{"metadata.name", strings.Repeat("a", 64), "at most 63 characters"}},
	"NameWithDot":       {object: named("web.v2"), says: []string{"metadata.name", "web.v2", "no dots"}},
	"NameWithUnderline": {object: named("a_b"), says: []string{"metadata.name", "a_b", "lower case alphanumeric"}},
	"NameUpperCase":     {object: named("Web"), says: []string{"metadata.name", "Web", "lower case alphanumeric"}},
	"NameNotASCII":      {object: named("wéb"), says: []string{"metadata.name", "wéb", "lower case alphanumeric"}},
	"NameHomoglyph":     {object: named("wеb"), says: []string{"metadata.name", "wеb", "lower case alphanumeric"}},
	"NameEmoji":         {object: named(`"🚀"`), says: []string{"metadata.name", "🚀", "lower case alphanumeric"}},
	"NameParent":        {object: named(`".."`), says: []string{"metadata.name", ".."}},
	"NameNewline":       {object: named(`"web\n"`), says: []string{"metadata.name", `web\n`, "lower case alphanumeric"}},
	"NameMissing":       {object: strings.Replace(named("web"), "{name: web}", "{}", 1), says: []string{"name or generateName is required"}},

	// Images.
	"ImageEmpty":      {object: strings.Replace(named("web"), "registry.example/shop:1", `""`, 1), says: []string{"spec.image", `""`, "at least 1"}},
	"ImageUpperCase":  {spec: `{image: registry.example/Shop}`, says: []string{"spec.image", "registry.example/Shop", "should match"}},
	"ImageUserinfo":   {spec: `{image: "user:pw@registry.example/shop"}`, says: []string{"spec.image", "user:pw@registry.example/shop", "should match"}},
	"ImageScheme":     {spec: `{image: "https://registry.example/shop"}`, says: []string{"spec.image", "https://registry.example/shop", "should match"}},
	"ImageID":         {spec: `{image: "sha256:` + strings.Repeat("a", 64) + `"}`, says: []string{"spec.image", "sha256:aaaa", "must name a repository"}},
	"ImageBadDigest":  {spec: `{image: "shop@sha256:abc"}`, says: []string{"spec.image", "shop@sha256:abc", "should match"}},
	"ImageTooLong":    {spec: `{image: ` + strings.Repeat("a", 5000) + `}`, says: []string{"spec.image", "Too long", "512"}},
	"ImageTemplate":   {spec: `{image: "shop:{{.Node.ID}}"}`, says: []string{"spec.image", "shop:{{.Node.ID}}", "should match"}},
	"ImageNumber":     {spec: `{image: 5}`, says: []string{"spec.image", "integer", "string"}},
	"PullPolicyTypo":  {spec: `{imagePullPolicy: Allways}`, says: []string{"spec.imagePullPolicy", "Allways", `"IfNotPresent", "Always", "Never"`}},
	"PullSecretTwice": {spec: `{imagePullSecrets: [{name: a}, {name: a}]}`, says: []string{"spec.imagePullSecrets[1]", "Duplicate value"}},

	// Autoscaling.
	"ScaleGlobal":        {spec: `{mode: Global, autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m}}}]}}`, says: []string{"autoscaling must not be set when mode is Global"}},
	"ScaleNoMaximum":     {spec: `{autoscaling: {metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m}}}]}}`, says: []string{"spec.autoscaling.maxReplicas", "Required value"}},
	"ScaleNoMetric":      {spec: `{autoscaling: {maxReplicas: 3, metrics: []}}`, says: []string{"spec.autoscaling.metrics", "at least 1"}},
	"ScaleMinAboveMax":   {spec: `{autoscaling: {minReplicas: 5, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m}}}]}}`, says: []string{"spec.autoscaling.minReplicas", "must not be greater than maxReplicas"}},
	"ScaleToZeroByCPU":   {spec: `{autoscaling: {minReplicas: 0, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m}}}]}}`, says: []string{"spec.autoscaling.minReplicas", "only with a metric of type Prometheus"}},
	"ScaleUnionWrong":    {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Prometheus, resource: {name: cpu, target: {averageValue: 100m}}}]}}`, says: []string{"spec.autoscaling.metrics[0]", "type Prometheus", "exactly the field that belongs to it"}},
	"ScaleTwoTargets":    {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m, averageUtilization: 50}}}]}}`, says: []string{"spec.autoscaling.metrics[0].resource.target", "exactly one of averageUtilization and averageValue"}},
	"ScaleUnknownName":   {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: disk, target: {averageValue: 100m}}}]}}`, says: []string{"spec.autoscaling.metrics[0].resource.name", "disk", `"cpu", "memory"`}},
	"ScaleNoRequest":     {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageUtilization: 50}}}]}}`, says: []string{"percentage of resources.requests.cpu, which is not set"}},
	"ScaleTargetZero":    {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: "0"}}}]}}`, says: []string{"spec.autoscaling.metrics[0].resource.target.averageValue", `"0"`, "must be greater than 0"}},
	"ScaleNoMetricsPort": {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: RequestsPerSecond, requestsPerSecond: {target: {averageValue: "5"}}}]}}`, says: []string{"RequestsPerSecond", "metrics must be set"}},
	"ScaleQueryForeign":  {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Prometheus, prometheus: {query: 'sum(up{namespace="kube-system"})', target: {value: "5"}}}]}}`, says: []string{"spec.autoscaling.metrics[0].prometheus.query", "asks for another namespace"}},
	"ScaleQueryNonsense": {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Prometheus, prometheus: {query: 'sum(up', target: {value: "5"}}}]}}`, says: []string{"spec.autoscaling.metrics[0].prometheus.query", "unclosed left parenthesis"}},
	"ScaleTolerance":     {spec: `{autoscaling: {maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {averageValue: 100m}}}], behavior: {scaleUp: {tolerance: "2"}}}}`, says: []string{"spec.autoscaling.behavior.scaleUp.tolerance", `"2"`, "a share from 0 to 1"}},

	// Numbers.
	"ReplicasNegative":   {spec: `{replicas: -1}`, says: []string{"spec.replicas", "-1", "greater than or equal to 0"}},
	"ReplicasTooMany":    {spec: `{replicas: 10001}`, says: []string{"spec.replicas", "10001", "less than or equal to 10000"}},
	"Replicas2To31":      {spec: `{replicas: 2147483648}`, says: []string{"spec.replicas", "2147483648"}},
	"Replicas2To63":      {spec: `{replicas: 9223372036854775808}`, says: []string{"spec.replicas"}},
	"ReplicasString":     {spec: `{replicas: "3"}`, says: []string{"spec.replicas", "string", "integer"}},
	"ReplicasFraction":   {spec: `{replicas: 1.5}`, says: []string{"spec.replicas", "1.5", "integer"}},
	"ReplicasOfGlobal":   {spec: `{mode: Global, replicas: 3}`, says: []string{"spec", "replicas must not be set when mode is Global"}},
	"NumberTooLarge":     {object: `{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":"web"},"spec":{"image":"a","replicas":1e400}}`, says: []string{"1e400"}},
	"ModeTypo":           {spec: `{mode: global}`, says: []string{"spec.mode", "global", `"Replicated", "Global"`}},
	"GraceAYear":         {spec: `{terminationGracePeriodSeconds: 31536000}`, says: []string{"spec.terminationGracePeriodSeconds", "31536000", "less than or equal to 60"}},
	"GraceNegative":      {spec: `{terminationGracePeriodSeconds: -5}`, says: []string{"spec.terminationGracePeriodSeconds", "-5", "greater than or equal to 0"}},
	"HistoryZero":        {spec: `{revisionHistoryLimit: 0}`, says: []string{"spec.revisionHistoryLimit", "0", "greater than or equal to 1"}},
	"RollbackToZero":     {spec: `{rollbackTo: 0}`, says: []string{"spec.rollbackTo", "0", "greater than or equal to 1"}},
	"StopSignalUnknown":  {spec: `{stopSignal: SIGWINCH}`, says: []string{"spec.stopSignal", "SIGWINCH", `"SIGTERM"`}},
	"StopSignalByNumber": {spec: `{stopSignal: 9}`, says: []string{"spec.stopSignal", "integer", "string"}},

	// Resources.
	"CPUZero":              {spec: `{resources: {limits: {cpu: "0"}}}`, says: []string{"spec.resources.limits.cpu", `"0"`, "from 10m to 1000"}},
	"CPUTiny":              {spec: `{resources: {limits: {cpu: "0.0001"}}}`, says: []string{"spec.resources.limits.cpu", `"0.0001"`, "from 10m to 1000"}},
	"CPUHuge":              {spec: `{resources: {limits: {cpu: "1e9"}}}`, says: []string{"spec.resources.limits.cpu", `"1e9"`, "from 10m to 1000"}},
	"CPUNaN":               {spec: `{resources: {limits: {cpu: NaN}}}`, says: []string{"spec.resources.limits.cpu", "NaN"}},
	"CPUNegative":          {spec: `{resources: {requests: {cpu: "-1"}}}`, says: []string{"spec.resources.requests.cpu", `"-1"`, "from 1m to 1000"}},
	"MemoryOneByte":        {spec: `{resources: {limits: {memory: 1}}}`, says: []string{"spec.resources.limits.memory", `"1"`, "from 6Mi to 64Ti"}},
	"MemoryJustBelow":      {spec: `{resources: {limits: {memory: "6291455"}}}`, says: []string{"spec.resources.limits.memory", `"6291455"`, "from 6Mi to 64Ti"}},
	"MemoryTooMuch":        {spec: `{resources: {limits: {memory: 16Ei}}}`, says: []string{"spec.resources.limits.memory", "16Ei", "from 6Mi to 64Ti"}},
	"MemoryWithSpace":      {spec: `{resources: {limits: {memory: "1G i"}}}`, says: []string{"spec.resources.limits.memory", "1G i"}},
	"MemoryWrongUnit":      {spec: `{resources: {limits: {memory: 128MB}}}`, says: []string{"spec.resources.limits.memory", "128MB"}},
	"RequestAboveLimit":    {spec: `{resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}`, says: []string{"spec.resources", "requests.memory 2Gi must not be greater than limits.memory 1Gi"}},
	"CPURequestAboveLimit": {spec: `{resources: {requests: {cpu: "2"}, limits: {cpu: 500m}}}`, says: []string{"spec.resources", "requests.cpu 2 must not be greater than limits.cpu 500m"}},
	"PidsZero":             {spec: `{resources: {limits: {pids: 0}}}`, says: []string{"spec.resources.limits.pids", "0", "greater than or equal to 1"}},
	"UlimitNegative":       {spec: `{ulimits: [{name: nproc, soft: -1, hard: 10}]}`, says: []string{"spec.ulimits[0].soft", "-1", "greater than or equal to 0"}},
	"UlimitUnknown":        {spec: `{ulimits: [{name: nice, soft: 1, hard: 1}]}`, says: []string{"spec.ulimits[0].name", "nice", `"nofile"`}},
	"UlimitSoftAboveHard":  {spec: `{ulimits: [{name: nofile, soft: 2, hard: 1}]}`, says: []string{"spec.ulimits[0]", "soft must not be greater than hard"}},
	"TmpfsTebibyte":        {spec: `{tmpfs: [{mountPath: /cache, size: 1Ti}]}`, says: []string{"spec.tmpfs[0].size", "1Ti", "from 4Ki to 64Gi"}},

	// Environment.
	"EnvNameWithEquals": {spec: `{env: [{name: "A=B", value: x}]}`, says: []string{"spec.env[0].name", "A=B", "should match"}},
	"EnvNameNewline":    {spec: `{env: [{name: "A\nB", value: x}]}`, says: []string{"spec.env[0].name", `A\nB`, "should match"}},
	"EnvNameNUL":        {spec: `{env: [{name: "A\0B", value: x}]}`, says: []string{"spec.env[0].name", "should match"}},
	"EnvTwice":          {spec: `{env: [{name: A, value: x}, {name: A, value: y}]}`, says: []string{"spec.env[1]", "Duplicate value", `"A"`}},
	"EnvTooMany":        {spec: `{env: [` + strings.Repeat("{name: A}, ", 10000) + `]}`, says: []string{"spec.env", "10000", "at most 200"}},
	"EnvValueTooLong":   {spec: `{env: [{name: A, value: "` + strings.Repeat("x", 40000) + `"}]}`, says: []string{"spec.env[0].value", "Too long", "32768"}},
	"EnvTemplate":       {spec: `{env: [{name: A, value: "{{.Node.Hostname}}"}]}`, says: []string{"spec.env[0].value", "{{.Node.Hostname}}", "must not contain {{ or }}"}},
	"EnvTemplateBomb":   {spec: `{env: [{name: A, value: '` + templateBomb(24) + `'}]}`, says: []string{"spec.env[0].value", "must not contain {{ or }}"}},
	"EnvValueAndSource": {spec: `{env: [{name: A, value: x, valueFrom: {secretKeyRef: {name: a, key: b}}}]}`, says: []string{"spec.env[0]", "only one of value and valueFrom"}},
	"EnvTwoSources":     {spec: `{env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}, configMapKeyRef: {name: a, key: b}}}]}`, says: []string{"spec.env[0].valueFrom", "exactly one of secretKeyRef and configMapKeyRef"}},
	"EnvFromNothing":    {spec: `{envFrom: [{prefix: A_}]}`, says: []string{"spec.envFrom[0]", "exactly one of secretRef and configMapRef"}},
	"EnvNumber":         {spec: `{env: [{name: A, value: 5}]}`, says: []string{"spec.env[0].value", "integer", "string"}},
	"TooBig":            {spec: `{args: ["` + strings.Repeat("x", 2<<20) + `"]}`, says: []string{"spec.args[0]", "Too long", "32768"}},
	"EnvZeroByte":       {spec: `{env: [{name: A, value: "a\0b"}]}`, says: []string{"spec.env[0].value", "should match"}},
	"ArgTemplate":       {spec: `{args: ["{{secret \"other\"}}"]}`, says: []string{"spec.args[0]", "must not contain {{ or }}"}},
	"HostnameTemplate":  {spec: `{hostname: "{{.Node.Hostname}}"}`, says: []string{"spec.hostname", "{{.Node.Hostname}}", "should match"}},

	// Files and paths.
	"FileRelative":    {spec: `{files: [{path: etc/app, configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].path", "etc/app", "should match"}},
	"FileParent":      {spec: `{files: [{path: /run/secrets/../../etc/passwd, configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].path", "/run/secrets/../../etc/passwd", "without . and .. elements"}},
	"FileInProc":      {spec: `{files: [{path: /proc/sys/kernel/core_pattern, configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].path", "/proc/sys/kernel/core_pattern", "must not lie under /proc"}},
	"FileTwice":       {spec: `{files: [{path: /a, configMapKeyRef: {name: a, key: b}}, {path: /a, secretKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[1]", "Duplicate value", "/a"}},
	"FileTemplate":    {spec: `{files: [{path: "/tmp/{{..}}", configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].path", "/tmp/{{..}}", "should match"}},
	"FileSetuid":      {spec: `{files: [{path: /a, mode: 04777, configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].mode", "2559", "less than or equal to 511"}},
	"FileOwnerByName": {spec: `{files: [{path: /a, uid: abc, configMapKeyRef: {name: a, key: b}}]}`, says: []string{"spec.files[0].uid", "string", "integer"}},
	"FileNoSource":    {spec: `{files: [{path: /a}]}`, says: []string{"spec.files[0]", "exactly one of secretKeyRef and configMapKeyRef"}},
	"KeyWithSlash":    {spec: `{files: [{path: /a, secretKeyRef: {name: a, key: ../b}}]}`, says: []string{"spec.files[0].secretKeyRef.key", "../b", "should match"}},
	"WorkdirInProc":   {spec: `{workingDir: /proc/self/fd/7}`, says: []string{"spec.workingDir", "/proc/self/fd/7", "must not lie under /proc"}},
	"TmpfsOnDev":      {spec: `{tmpfs: [{mountPath: /dev, size: 1Mi}]}`, says: []string{"spec.tmpfs[0].mountPath", `"/dev"`, "must not lie under"}},

	// Ports and names in the network.
	"PortZero":              {spec: `{ports: [{containerPort: 0}]}`, says: []string{"spec.ports[0].containerPort", "0", "greater than or equal to 1"}},
	"PortTooHigh":           {spec: `{ports: [{containerPort: 65536}]}`, says: []string{"spec.ports[0].containerPort", "65536", "less than or equal to 65535"}},
	"PortNegative":          {spec: `{ports: [{containerPort: 80, publish: {mode: Host, port: -1}}]}`, says: []string{"spec.ports[0].publish.port", "-1", "greater than or equal to 1"}},
	"PortTwice":             {spec: `{ports: [{containerPort: 80}, {containerPort: 80}]}`, says: []string{"spec.ports[1]", "Duplicate value", "80"}},
	"PortNameTwice":         {spec: `{ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}`, says: []string{"spec.ports", "port names must be unique"}},
	"PublishedTwice":        {spec: `{ports: [{containerPort: 80, publish: {mode: Host, port: 9}}, {containerPort: 81, publish: {mode: Host, port: 9}}]}`, says: []string{"spec.ports", "published ports must be unique"}},
	"ProtocolUnknown":       {spec: `{ports: [{containerPort: 80, protocol: tcp}]}`, says: []string{"spec.ports[0].protocol", "tcp", `"TCP", "UDP", "SCTP"`}},
	"HostPortStartFirst":    {spec: `{ports: [{containerPort: 80, publish: {mode: Host, port: 80}}], rollout: {order: StartFirst}}`, says: []string{"spec", "rollout.order must be StopFirst when a port is published in mode Host"}},
	"IngressWithDNSRR":      {spec: `{endpointMode: DNSRR, ports: [{containerPort: 80, publish: {mode: Ingress, port: 80}}]}`, says: []string{"spec", "endpointMode must be VIP"}},
	"AliasOfOtherNamespace": {spec: `{dnsAliases: [tenantb_db]}`, says: []string{"spec.dnsAliases[0]", "tenantb_db", "should match"}},
	"ExtraHostByName":       {spec: `{extraHosts: [{ip: localhost, hostnames: [a]}]}`, says: []string{"spec.extraHosts[0].ip", "localhost", "must be an IPv4 or IPv6 address"}},

	// Security, placement, labels.
	"CapSysAdmin":        {spec: `{security: {capabilities: {add: [SYS_ADMIN]}}}`, says: []string{"spec.security.capabilities.add[0]", "SYS_ADMIN", `"NET_BIND_SERVICE"`}},
	"CapPrefixed":        {spec: `{security: {capabilities: {add: [CAP_CHOWN]}}}`, says: []string{"spec.security.capabilities.add[0]", "CAP_CHOWN", `"CHOWN"`}},
	"CapLowerCase":       {spec: `{security: {capabilities: {add: [sys_admin]}}}`, says: []string{"spec.security.capabilities.add[0]", "sys_admin"}},
	"CapAll":             {spec: `{security: {capabilities: {add: [ALL]}}}`, says: []string{"spec.security.capabilities.add[0]", "ALL"}},
	"UserByName":         {spec: `{security: {runAsUser: app}}`, says: []string{"spec.security.runAsUser", "string", "integer"}},
	"UserNegative":       {spec: `{security: {runAsUser: -1}}`, says: []string{"spec.security.runAsUser", "-1", "greater than or equal to 0"}},
	"UserTooHigh":        {spec: `{security: {runAsUser: 4294967296}}`, says: []string{"spec.security.runAsUser", "4294967296", "less than or equal to 2147483647"}},
	"GroupWithoutUser":   {spec: `{security: {runAsGroup: 0}}`, says: []string{"spec.security", "runAsGroup needs runAsUser"}},
	"SysctlCorePattern":  {spec: `{sysctls: {kernel.core_pattern: "|/x"}}`, says: []string{"spec.sysctls", "kernel.core_pattern", "only these sysctls are allowed"}},
	"SysctlForward":      {spec: `{sysctls: {net.ipv4.ip_forward: "1"}}`, says: []string{"spec.sysctls", "net.ipv4.ip_forward", "only these sysctls are allowed"}},
	"PlacementRegexp":    {spec: `{placement: {constraints: ["node.hostname == .*"]}}`, says: []string{"spec.placement.constraints[0]", "node.hostname == .*", "should match"}},
	"PlacementTemplate":  {spec: `{placement: {constraints: ["node.labels.a == {{.Node.ID}}"]}}`, says: []string{"spec.placement.constraints[0]", "{{.Node.ID}}", "should match"}},
	"PlacementGlobal":    {spec: `{mode: Global, placement: {maxReplicasPerNode: 1}}`, says: []string{"spec", "placement.maxReplicasPerNode must not be set when mode is Global"}},
	"LabelOfStack":       {spec: `{labels: {com.docker.stack.namespace: tenantb}}`, says: []string{"spec.labels", "com.docker.stack.namespace", "must not begin with com.docker."}},
	"LabelOfOwner":       {spec: `{labels: {IO.dogker.uid: forged}}`, says: []string{"spec.labels", "IO.dogker.uid", "must not begin with"}},
	"LabelTemplate":      {spec: `{labels: {a: "{{.Node.ID}}"}}`, says: []string{"spec.labels[a]", "{{.Node.ID}}", "must not contain {{ or }}"}},
	"LabelKeyWithSpace":  {spec: `{labels: {"a b": c}}`, says: []string{"spec.labels", "a b", "label keys must be"}},
	"LogDriverSyslog":    {spec: `{logging: {driver: syslog}}`, says: []string{"spec.logging.driver", "syslog", `"json-file", "local", "none"`}},
	"LogMaxSize":         {spec: `{logging: {driver: json-file, maxSize: 1000Gi}}`, says: []string{"spec.logging.maxSize", "1000Gi", "from 16Ki to 1Gi"}},
	"LogSizeOfNone":      {spec: `{logging: {driver: none, maxSize: 1Mi}}`, says: []string{"spec.logging", "must not be set for the driver none"}},
	"RestartWithoutWait": {spec: `{restartPolicy: {delaySeconds: 0}}`, says: []string{"spec.restartPolicy.delaySeconds", "0", "greater than or equal to 1"}},
	"RestartTypo":        {spec: `{restartPolicy: {condition: on-failure}}`, says: []string{"spec.restartPolicy.condition", "on-failure", `"Always", "OnFailure", "Never"`}},

	// Health and rollout.
	"HealthMillisecond":   {spec: `{healthCheck: {exec: {command: [x]}, periodSeconds: 0}}`, says: []string{"spec.healthCheck.periodSeconds", "0", "greater than or equal to 1"}},
	"HealthTimeout":       {spec: `{healthCheck: {exec: {command: [x]}, timeoutSeconds: 1000}}`, says: []string{"spec.healthCheck.timeoutSeconds", "1000", "less than or equal to 60"}},
	"HealthTwoWays":       {spec: `{healthCheck: {exec: {command: [x]}, tcpSocket: {port: 80}}}`, says: []string{"spec.healthCheck", "exactly one of exec, httpGet, tcpSocket"}},
	"HealthNoCommand":     {spec: `{healthCheck: {exec: {command: []}}}`, says: []string{"spec.healthCheck.exec.command", "at least 1"}},
	"HealthShell":         {spec: `{healthCheck: {httpGet: {port: 80, path: "/;$(reboot)"}}}`, says: []string{"spec.healthCheck.httpGet.path", "/;$(reboot)", "should match"}},
	"HealthLongCommand":   {spec: `{healthCheck: {exec: {command: ["` + strings.Repeat("x", 1<<20) + `"]}}}`, says: []string{"spec.healthCheck.exec.command[0]", "Too long", "4096"}},
	"RolloutParallelism":  {spec: `{rollout: {parallelism: -1}}`, says: []string{"spec.rollout.parallelism", "-1", "greater than or equal to 0"}},
	"RolloutRatio":        {spec: `{rollout: {maxFailurePercent: 101}}`, says: []string{"spec.rollout.maxFailurePercent", "101", "less than or equal to 100"}},
	"RolloutOrderTypo":    {spec: `{rollout: {order: start-first}}`, says: []string{"spec.rollout.order", "start-first", `"StartFirst", "StopFirst"`}},
	"DeadlineZero":        {spec: `{rollout: {progressDeadlineSeconds: 0}}`, says: []string{"spec.rollout.progressDeadlineSeconds", "0", "greater than or equal to 1"}},
	"TimeZoneUnknown":     {spec: `{schedule: {timeZone: Asia/Atlantis, windows: [{start: "08:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.timeZone", "Asia/Atlantis", "such as Asia/Jakarta"}},
	"TimeZoneOfServer":    {spec: `{schedule: {timeZone: Local, windows: [{start: "08:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.timeZone", "Local", "such as Asia/Jakarta"}},
	"TimeZoneAsFile":      {spec: `{schedule: {timeZone: ../../etc/passwd, windows: [{start: "08:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.timeZone", "etc/passwd"}},
	"HourOf25":            {spec: `{schedule: {windows: [{start: "25:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.windows[0].start", "25:00", "from 00:00 to 24:00"}},
	"HourWithoutZero":     {spec: `{schedule: {windows: [{start: "08:00", stop: "9:00"}]}}`, says: []string{"spec.schedule.windows[0].stop", "9:00", "from 00:00 to 24:00"}},
	"NoWindows":           {spec: `{schedule: {windows: []}}`, says: []string{"spec.schedule.windows", "at least 1"}},
	"MetricsPortUnknown":  {spec: `{ports: [{name: http, containerPort: 80}], metrics: {port: admin}}`, says: []string{"metrics.port", "admin", "the name of a TCP port in ports"}},
	"MetricsPortUDP":      {spec: `{ports: [{name: statsd, containerPort: 8125, protocol: UDP}], metrics: {port: statsd}}`, says: []string{"metrics.port", "statsd", "TCP"}},
	"MetricsPortTooLarge": {spec: `{metrics: {port: 65536}}`, says: []string{"spec.metrics.port", "65536", "from 1 to 65535"}},
	"MetricsPathClimbs":   {spec: `{metrics: {port: 9090, path: /../../other:80/proxy/metrics}}`, says: []string{"spec.metrics.path", "must begin with /"}},
	"MetricsPathQuery":    {spec: `{metrics: {port: 9090, path: "/probe?target=x"}}`, says: []string{"spec.metrics.path", "/probe?target=x"}},
	"MetricsTooOften":     {spec: `{metrics: {port: 9090, interval: 1s}}`, says: []string{"spec.metrics.interval", "1s", "from 5s to 1h"}},
	"DayUnknown":          {spec: `{schedule: {windows: [{days: [Monday], start: "08:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.windows[0].days[0]", "Monday", "Mon"}},
	"DayTwice":            {spec: `{schedule: {windows: [{days: [Mon, Mon], start: "08:00", stop: "18:00"}]}}`, says: []string{"spec.schedule.windows[0].days[1]", "Duplicate value"}},
	"DependsOnTwice":      {spec: `{dependsOn: [{name: a}, {name: a}]}`, says: []string{"spec.dependsOn[1]", "Duplicate value"}},
}

// yamlBomb grows to a billion laughs for whoever unfolds it.
const yamlBomb = `apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
h: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g, *g]
spec: {image: registry.example/shop:1, args: *h}
`

// templateBomb doubles with every level when an engine expands it.
func templateBomb(levels int) string {
	var b strings.Builder
	for i := range levels {
		next := string(rune('a' + i + 1))
		b.WriteString(`{{define "` + string(rune('a'+i)) + `"}}{{template "` + next + `"}}{{template "` + next + `"}}{{end}}`)
	}

	return b.String() + `{{template "a"}}`
}
