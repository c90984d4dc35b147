package compose_test

import "testing"

// TestServices has the rows of the mapping table that are about what a service runs.
func TestServices(t *testing.T) {
	for name, m := range map[string]mapping{
		"Process": {
			reason:  "Compose's entrypoint is our command, and its command our args.",
			service: "entrypoint: [/bin/web]\ncommand: serve --port 80 'two words'\nworking_dir: /srv\nhostname: front\nstop_signal: SIGQUIT\nstop_grace_period: 45s",
			spec:    "{command: [/bin/web], args: [serve, --port, '80', two words], workingDir: /srv, hostname: front, stopSignal: SIGQUIT, terminationGracePeriodSeconds: 45}",
		},
		"ProcessThatIsNot": {
			reason:   "What does not fit is named; half a command would be another one.",
			service:  "entrypoint: ['{{.Node.ID}}']\ncommand: []\nworking_dir: srv\nhostname: my.host\nstop_signal: SIGWINCH\nstop_grace_period: 5m",
			spec:     "terminationGracePeriodSeconds: 60",
			findings: []string{"lost services.web.entrypoint", "lost services.web.command", "lost services.web.working_dir", "lost services.web.hostname", "lost services.web.stop_signal", "changed services.web.stop_grace_period"},
		},
		"Environment": {
			reason:   "Names are those that a shell takes, and templates are refused.",
			service:  "environment: {A: b, EMPTY: '', NUMBER: 1, UNSET: null, TOKEN: null, discovery.type: single-node, SLOT: '{{.Task.Slot}}'}",
			spec:     "env: [{name: A, value: b}, {name: EMPTY, value: ''}, {name: NUMBER, value: '1'}, {name: TOKEN, value: t0ken}]",
			findings: []string{"lost services.web.environment.SLOT", "note services.web.environment.UNSET", "lost services.web.environment.discovery.type", "note services.web.environment"},
		},
		"HealthcheckShell": {
			reason:  "What is for a shell is given to one; times that are not written are Docker's, not ours.",
			service: "healthcheck: {test: curl -f http://localhost/, start_period: 1m}",
			spec:    "healthCheck: {exec: {command: [/bin/sh, -c, 'curl -f http://localhost/']}, periodSeconds: 30, timeoutSeconds: 30, failureThreshold: 3, startPeriodSeconds: 60}",
		},
		"HealthcheckCommand": {
			reason:   "Rule R3 bounds it; there is no interval for the start only.",
			service:  "healthcheck: {test: [CMD, /check], interval: 1s, timeout: 1m, retries: 20, start_interval: 1s}",
			spec:     "healthCheck: {exec: {command: [/check]}, periodSeconds: 5, timeoutSeconds: 30, failureThreshold: 10}",
			findings: []string{"changed services.web.healthcheck.interval", "changed services.web.healthcheck.timeout", "changed services.web.healthcheck.retries", "lost services.web.healthcheck.start_interval"},
		},
		"HealthcheckNone":     {reason: "Both forms turn the image's own off.", service: "healthcheck: {test: [NONE]}", spec: "healthCheck: {disabled: true}"},
		"HealthcheckDisabled": {reason: "Both forms turn the image's own off.", service: "healthcheck: {disable: true}", spec: "healthCheck: {disabled: true}"},
		"HealthcheckTimesOnly": {
			reason:   "The image's own check cannot be given other times.",
			service:  "healthcheck: {interval: 10s}",
			findings: []string{"lost services.web.healthcheck"},
		},
		"PortsShort": {
			reason:   "Published through the mesh, from 1024; the rest is open within the namespace only.",
			service:  "ports: ['8080:80', '53:53/udp', '9000', '127.0.0.1:5432:5432', '7000-7001:7000-7001']\nhealthcheck: {disable: true}",
			spec:     "{healthCheck: {disabled: true}, ports: [{containerPort: 80, protocol: TCP, publish: {mode: Ingress, port: 8080}}, {containerPort: 53, protocol: UDP}, {containerPort: 9000, protocol: TCP}, {containerPort: 5432, protocol: TCP}, {containerPort: 7000, protocol: TCP, publish: {mode: Ingress, port: 7000}}, {containerPort: 7001, protocol: TCP, publish: {mode: Ingress, port: 7001}}]}",
			findings: []string{"refused services.web.ports[1]", "lost services.web.ports[2]", "lost services.web.ports[3].host_ip"},
		},
		"PortsLong": {
			reason:   "Mode host names a node by where a task runs.",
			service:  "ports: [{name: http, target: 80, published: '8080', app_protocol: http}, {target: 81, published: '8081', mode: host}]\nhealthcheck: {disable: true}",
			spec:     "{healthCheck: {disabled: true}, ports: [{name: http, containerPort: 80, protocol: TCP, publish: {mode: Ingress, port: 8080}}, {containerPort: 81, protocol: TCP}]}",
			findings: []string{"refused services.web.ports[1].mode", "lost services.web.ports[0].app_protocol"},
		},
		"PortsOfNodes": {
			reason:   "Rule N3 keeps those that the nodes need.",
			service:  "ports: ['2377:2377']",
			spec:     "ports: [{containerPort: 2377, protocol: TCP}]",
			findings: []string{"refused services.web.ports[0]"},
		},
		"Expose": {
			reason:  "It is what a port without publish is.",
			service: "expose: ['3000', '4000-4001', '53/udp']",
			spec:    "ports: [{containerPort: 3000, protocol: TCP}, {containerPort: 4000, protocol: TCP}, {containerPort: 4001, protocol: TCP}, {containerPort: 53, protocol: UDP}]",
		},
		"Logging": {
			reason:  "Drivers that stay on the node have sizes.",
			service: "logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}",
			spec:    "logging: {driver: json-file, maxSize: 10Mi, maxFiles: 3}",
		},
		"LoggingElsewhere": {
			reason:   "The node would connect out for the tenant.",
			service:  "logging: {driver: syslog, options: {syslog-address: 'tcp://10.0.0.1'}}",
			findings: []string{"refused services.web.logging.driver"},
		},
		"LoggingOptions": {
			reason:   "There are two options, and rule L1 bounds them.",
			service:  "logging: {driver: local, options: {max-size: 1g, max-file: '99', compress: 'true'}}",
			spec:     "logging: {driver: local, maxSize: 100Mi, maxFiles: 10}",
			findings: []string{"lost services.web.logging.options.compress", "changed services.web.logging.options.max-file", "changed services.web.logging.options.max-size"},
		},
		"Image": {
			reason:   "Asked for always, and on one platform.",
			service:  "image: Registry.example:443/a/b:1@sha256:3fdbf8d8b0a3e2c6a4c7e5d2b1f09e8d7c6b5a493827160f5e4d3c2b1a098f7e\npull_policy: always\nplatform: linux/arm/v7",
			spec:     "{image: 'Registry.example:443/a/b:1@sha256:3fdbf8d8b0a3e2c6a4c7e5d2b1f09e8d7c6b5a493827160f5e4d3c2b1a098f7e', imagePullPolicy: Always, placement: {platforms: [{os: linux, architecture: arm}]}}",
			findings: []string{"changed services.web.platform"},
		},
		"ImageOfTheNode": {
			reason:   "It may be somebody else's.",
			service:  "pull_policy: never",
			findings: []string{"refused services.web.pull_policy"},
		},
		"ImageByID": {
			reason:   "It stands for whatever a node holds, so there is no container.",
			service:  "image: sha256:3fdbf8d8b0a3e2c6a4c7e5d2b1f09e8d7c6b5a493827160f5e4d3c2b1a098f7e",
			findings: []string{"refused services.web.image"},
		},
		"ImageByAddress": {
			reason:   "Rule I1 stays with the plan: it is reported, and can be allowed there.",
			service:  "image: 10.0.0.5:5000/web",
			spec:     "image: 10.0.0.5:5000/web",
			findings: []string{"refused services.web"},
		},
		"Build": {
			reason:   "Nothing is built; the name is what Compose would give.",
			service:  "build: .",
			spec:     "image: shop-web",
			findings: []string{"lost services.web.build"},
		},
		"Extensions": {
			reason:  "They are kept as annotations, whatever they are.",
			service: "x-owner: team a\nx-tiers: [1, 2]\ndeploy: {x-note: why}",
			meta:    "annotations: {compose.dogker.io/x-owner: team a, compose.dogker.io/x-tiers: '[1,2]', compose.dogker.io/deploy.x-note: why}",
		},
	} {
		t.Run(name, m.run)
	}
}
