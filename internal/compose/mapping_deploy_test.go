package compose_test

import "testing"

// TestDeploy has the rows of the mapping table that are about deploy.
func TestDeploy(t *testing.T) {
	for name, m := range map[string]mapping{
		"ModeReplicated": {
			reason:  "It is what there is.",
			service: "deploy: {mode: replicated, replicas: 3}",
			spec:    "replicas: 3",
		},
		"ModeGlobal": {
			reason:   "A task on every node is the platform's to have.",
			service:  "deploy: {mode: global}",
			findings: []string{"refused services.web.deploy.mode"},
		},
		"ModeJob": {
			reason:   "Without a job, the nearest is a container that rests when it has ended well.",
			service:  "deploy: {mode: replicated-job, replicas: 2}",
			spec:     "{replicas: 2, restartPolicy: {condition: OnFailure}}",
			findings: []string{"changed services.web.deploy.mode"},
		},
		"Scale": {
			reason:  "It is the older word for replicas.",
			service: "scale: 2",
			spec:    "replicas: 2",
		},
		"ReplicasBeyondTheRule": {
			reason:   "Rule Q1 has a number.",
			service:  "deploy: {replicas: 1000}",
			spec:     "replicas: 100",
			findings: []string{"changed services.web.deploy.replicas"},
		},
		"Limits": {
			reason:  "Limits of CPU, memory and processes have fields.",
			service: "deploy: {resources: {limits: {cpus: '0.5', memory: 256M, pids: 100}}}",
			spec:    "resources: {limits: {cpu: 500m, memory: 256Mi, pids: 100}}",
		},
		"LimitsOfOlderFiles": {
			reason:  "cpus, mem_limit and pids_limit mean the same, beside deploy.",
			service: "cpus: 1.5\nmem_limit: 1g\nmem_reservation: 512m\npids_limit: 64",
			spec:    "resources: {limits: {cpu: 1500m, memory: 1Gi, pids: 64}, requests: {memory: 512Mi}}",
		},
		"LimitsTooSmall": {
			reason:   "The engine and the kernel have minima.",
			service:  "deploy: {resources: {limits: {cpus: '0.001', memory: 1M}}}",
			spec:     "resources: {limits: {cpu: 10m, memory: 6Mi}}",
			findings: []string{"changed services.web.deploy.resources.limits.cpus", "changed services.web.deploy.resources.limits.memory"},
		},
		"Reservations": {
			reason:   "What is set aside has fields; devices of nodes do not.",
			service:  "deploy: {resources: {reservations: {cpus: '0.25', memory: 64M, generic_resources: [{discrete_resource_spec: {kind: SSD, value: 1}}]}}}",
			spec:     "resources: {requests: {cpu: 250m, memory: 64Mi}}",
			findings: []string{"refused services.web.deploy.resources.reservations.generic_resources"},
		},
		"ReservationsBeyondLimits": {
			reason:   "A request that is greater than the limit would be refused.",
			service:  "deploy: {resources: {limits: {memory: 64M}, reservations: {memory: 128M}}}",
			spec:     "resources: {limits: {memory: 64Mi}, requests: {memory: 64Mi}}",
			findings: []string{"changed services.web.deploy.resources.reservations.memory"},
		},
		"RestartPolicy": {
			reason:  "All of it has fields.",
			service: "deploy: {restart_policy: {condition: on-failure, delay: 10s, max_attempts: 3, window: 2m}}",
			spec:    "restartPolicy: {condition: OnFailure, delaySeconds: 10, maxAttempts: 3, windowSeconds: 120}",
		},
		"RestartPolicyTooFast": {
			reason:   "Rule R2 keeps a container that fails from costing more than one that runs.",
			service:  "deploy: {restart_policy: {condition: any, delay: 500ms}}",
			spec:     "restartPolicy: {condition: Always, delaySeconds: 5}",
			findings: []string{"changed services.web.deploy.restart_policy.delay"},
		},
		"RestartOnlyAsFallback": {
			reason:  "Where both stand, the newer counts.",
			service: "restart: always\ndeploy: {restart_policy: {condition: none}}",
			spec:    "restartPolicy: {condition: Never}",
		},
		"RestartWithAttempts": {
			reason:  "The older form has attempts, too.",
			service: "restart: on-failure:4",
			spec:    "restartPolicy: {condition: OnFailure, maxAttempts: 4}",
		},
		"UpdateConfig": {
			reason: "How changes are rolled out has fields.",
			service: `deploy:
  replicas: 8
  update_config: {parallelism: 2, delay: 10s, failure_action: rollback, monitor: 30s, max_failure_ratio: 0.25, order: start-first}`,
			spec: "{replicas: 8, rollout: {parallelism: 2, delaySeconds: 10, failureAction: Rollback, monitorSeconds: 30, maxFailurePercent: 25, order: StartFirst}}",
		},
		"UpdateConfigTooWide": {
			reason:   "Rule R4: what is started besides is not paid for.",
			service:  "deploy: {replicas: 4, update_config: {parallelism: 4}}",
			spec:     "{replicas: 4, rollout: {parallelism: 1}}",
			findings: []string{"changed services.web.deploy.update_config.parallelism"},
		},
		"UpdateConfigAllAtOnce": {
			reason:   "Rule R4 again.",
			service:  "deploy: {update_config: {parallelism: 0, order: stop-first}}",
			spec:     "rollout: {parallelism: 1, order: StopFirst}",
			findings: []string{"changed services.web.deploy.update_config.parallelism"},
		},
		"StopFirstWithVolume": {
			reason:   "Two tasks must not write to one volume side by side.",
			service:  "volumes: [data:/data]",
			rest:     "volumes: {data: {}}",
			spec:     "{volumes: [{name: data, mountPath: /data}], rollout: {order: StopFirst}}",
			findings: []string{"note volumes"},
		},
		"RollbackConfig": {
			reason:   "The last good revision is put back as changes are rolled out.",
			service:  "deploy: {rollback_config: {parallelism: 2}}",
			findings: []string{"lost services.web.deploy.rollback_config"},
		},
		"PlacementOfTenants": {
			reason: "Labels of nodes and the number on each are a tenant's to choose.",
			service: `deploy:
  placement:
    constraints: [node.labels.zone == a, node.role != manager]
    preferences: [{spread: node.labels.rack}]
    max_replicas_per_node: 2`,
			spec: "placement: {constraints: [node.labels.zone == a, node.role != manager], spread: [node.labels.rack], maxReplicasPerNode: 2}",
		},
		"PlacementOfThePlatform": {
			reason:   "Which node, and managers, are the platform's.",
			service:  "deploy: {placement: {constraints: [node.role == manager, node.hostname == n1, engine.labels.x == y], preferences: [{spread: engine.labels.x}]}}",
			findings: []string{"refused services.web.deploy.placement.constraints[0]", "refused services.web.deploy.placement.constraints[1]", "refused services.web.deploy.placement.constraints[2]", "refused services.web.deploy.placement.preferences[0]"},
		},
		"EndpointModeDNSRR": {
			reason:  "There is a field.",
			service: "deploy: {endpoint_mode: dnsrr}",
			spec:    "endpointMode: DNSRR",
		},
		"EndpointModeDNSRRPublished": {
			reason:   "The routing mesh needs a virtual IP.",
			service:  "ports: ['8080:80']\ndeploy: {endpoint_mode: dnsrr}",
			spec:     "ports: [{containerPort: 80, protocol: TCP, publish: {mode: Ingress, port: 8080}}]",
			findings: []string{"note services.web.healthcheck", "lost services.web.deploy.endpoint_mode"},
		},
		"EndpointModeVIP": {
			reason:   "It needs something of the nodes.",
			service:  "deploy: {endpoint_mode: vip}",
			spec:     "endpointMode: VIP",
			findings: []string{"note services.web.deploy.endpoint_mode"},
		},
		"Labels": {
			reason:  "Those of the service are on the object, those of the containers in the spec, as in Swarm.",
			service: "labels: {team: shop, note: two words}\ndeploy: {labels: {tier: front, about: 'two words'}}",
			spec:    "labels: {team: shop, note: two words}",
			meta:    "{labels: {tier: front}, annotations: {about: two words}}",
		},
		"LabelsOfTools": {
			reason:   "Whoever reads labels of services in Swarm does not find these there.",
			service:  "labels: [traefik.enable=true, ofelia.enabled=true]\ndeploy: {labels: {swarm.cronjob.enable: 'true', gantry.services.excluded: 'true', com.docker.stack.image: x}}",
			findings: []string{"lost services.web.labels.ofelia.enabled", "lost services.web.labels.traefik.enable", "lost services.web.deploy.labels.com.docker.stack.image", "lost services.web.deploy.labels.gantry.services.excluded", "lost services.web.deploy.labels.swarm.cronjob.enable"},
		},
	} {
		t.Run(name, m.run)
	}
}
