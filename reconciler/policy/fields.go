package policy

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// fields are all fields of a spec that somebody has thought about, with the rules that judge them. Those whose rule is
// "schema" are safe within what the schema allows: they reach nothing beyond the container and its own namespace.
// Elements of lists and maps have no path of their own.
var fields = map[string]string{
	"image":                                  "I1, I2",
	"imagePullPolicy":                        "I2",
	"imagePullSecrets.name":                  "schema",
	"command":                                "Q2",
	"args":                                   "Q2",
	"workingDir":                             "schema",
	"env.name":                               "Q2, S4",
	"env.value":                              "Q2, S4",
	"env.valueFrom.secretKeyRef.name":        "schema",
	"env.valueFrom.secretKeyRef.key":         "schema",
	"env.valueFrom.secretKeyRef.optional":    "schema",
	"env.valueFrom.configMapKeyRef.name":     "schema",
	"env.valueFrom.configMapKeyRef.key":      "schema",
	"env.valueFrom.configMapKeyRef.optional": "schema",
	"envFrom.prefix":                         "schema",
	"envFrom.secretRef.name":                 "schema",
	"envFrom.secretRef.optional":             "schema",
	"envFrom.configMapRef.name":              "schema",
	"envFrom.configMapRef.optional":          "schema",
	"files.path":                             "S2",
	"files.mode":                             "S2",
	"files.uid":                              "schema",
	"files.gid":                              "schema",
	"files.secretKeyRef.name":                "schema",
	"files.secretKeyRef.key":                 "schema",
	"files.secretKeyRef.optional":            "schema",
	"files.configMapKeyRef.name":             "schema",
	"files.configMapKeyRef.key":              "schema",
	"files.configMapKeyRef.optional":         "schema",
	"ports.name":                             "schema",
	"ports.containerPort":                    "schema",
	"ports.protocol":                         "schema",
	"ports.publish.mode":                     "N3",
	"ports.publish.port":                     "N3",
	"mode":                                   "P2",
	"replicas":                               "Q1",
	"resources.requests.cpu":                 "R1",
	"resources.requests.memory":              "R1",
	"resources.limits.cpu":                   "R1",
	"resources.limits.memory":                "R1",
	"resources.limits.pids":                  "R1",
	"healthCheck.exec.command":               "schema",
	"healthCheck.httpGet.path":               "schema",
	"healthCheck.httpGet.port":               "schema",
	"healthCheck.tcpSocket.port":             "schema",
	"healthCheck.disabled":                   "schema",
	"healthCheck.periodSeconds":              "R3",
	"healthCheck.timeoutSeconds":             "R3",
	"healthCheck.failureThreshold":           "R3",
	"healthCheck.startPeriodSeconds":         "schema",
	"rollout.parallelism":                    "R4",
	"rollout.delaySeconds":                   "schema",
	"rollout.order":                          "R4",
	"rollout.monitorSeconds":                 "schema",
	"rollout.maxFailurePercent":              "schema",
	"rollout.failureAction":                  "schema",
	"rollout.progressDeadlineSeconds":        "schema",
	// What runs of it is a TenantJob, to which the rules apply.
	"rollout.preDeploy.command":                                "Q2",
	"rollout.preDeploy.args":                                   "Q2",
	"rollout.preDeploy.env.name":                               "Q2, S4",
	"rollout.preDeploy.env.value":                              "Q2, S4",
	"rollout.preDeploy.env.valueFrom.secretKeyRef.name":        "schema",
	"rollout.preDeploy.env.valueFrom.secretKeyRef.key":         "schema",
	"rollout.preDeploy.env.valueFrom.secretKeyRef.optional":    "schema",
	"rollout.preDeploy.env.valueFrom.configMapKeyRef.name":     "schema",
	"rollout.preDeploy.env.valueFrom.configMapKeyRef.key":      "schema",
	"rollout.preDeploy.env.valueFrom.configMapKeyRef.optional": "schema",
	"rollout.preDeploy.activeDeadlineSeconds":                  "schema",
	"rollout.preDeploy.backoffLimit":                           "schema",
	"revisionHistoryLimit":                                     "schema",
	"rollbackTo":                                               "the rules above, on the template of the revision",
	"restartPolicy.condition":                                  "schema",
	"restartPolicy.delaySeconds":                               "R2",
	"restartPolicy.maxAttempts":                                "schema",
	"restartPolicy.windowSeconds":                              "schema",
	"stopSignal":                                               "schema",
	"terminationGracePeriodSeconds":                            "R5",
	"placement.constraints":                                    "P1",
	"placement.spread":                                         "P1",
	"placement.maxReplicasPerNode":                             "schema",
	"placement.platforms.os":                                   "schema",
	"placement.platforms.architecture":                         "schema",
	"security.runAsUser":                                       "U1",
	"security.runAsGroup":                                      "U1",
	"security.readOnlyRootFilesystem":                          "schema",
	"security.capabilities.add":                                "C1",
	"security.capabilities.drop":                               "C1",
	"security.init":                                            "schema",
	"dependsOn.name":                                           "schema",
	"metrics.port":                                             "schema",
	"metrics.path":                                             "schema",
	"metrics.interval":                                         "schema",
	"stuckTaskPolicy":                                          "schema",
	"schedule.timeZone":                                        "schema",
	"schedule.windows.days":                                    "schema",
	"schedule.windows.start":                                   "schema",
	"schedule.windows.stop":                                    "schema",
	"hostname":                                                 "schema",
	"dnsAliases":                                               "schema",
	"endpointMode":                                             "schema",
	"extraHosts.ip":                                            "N4",
	"extraHosts.hostnames":                                     "N4",
	"sysctls":                                                  "C3",
	"ulimits.name":                                             "C4",
	"ulimits.soft":                                             "C4",
	"ulimits.hard":                                             "C4",
	"tmpfs.mountPath":                                          "M4",
	"tmpfs.size":                                               "M5",
	"tmpfs.mode":                                               "schema",
	"volumes.name":                                             "schema",
	"volumes.mountPath":                                        "M4",
	"volumes.readOnly":                                         "schema",
	"labels":                                                   "B1",
	"logging.driver":                                           "L1",
	"logging.maxSize":                                          "L1",
	"logging.maxFiles":                                         "L1",
	"paused":                                                   "schema",

	// How many tasks there are within the bounds is nobody else's business: a quota and the balance bound it further.
	"autoscaling.minReplicas":                                   "schema",
	"autoscaling.maxReplicas":                                   "Q1",
	"autoscaling.metrics.type":                                  "schema",
	"autoscaling.metrics.resource.name":                         "schema",
	"autoscaling.metrics.resource.target.averageUtilization":    "schema",
	"autoscaling.metrics.resource.target.averageValue":          "schema",
	"autoscaling.metrics.requestsPerSecond.metric":              "schema",
	"autoscaling.metrics.requestsPerSecond.matchLabels":         "schema",
	"autoscaling.metrics.requestsPerSecond.target.averageValue": "schema",
	"autoscaling.metrics.prometheus.query":                      "schema",
	"autoscaling.metrics.prometheus.target.value":               "schema",
	"autoscaling.metrics.prometheus.target.averageValue":        "schema",
	"autoscaling.metrics.prometheus.activationValue":            "schema",
	"autoscaling.behavior.scaleUp.stabilizationWindowSeconds":   "schema",
	"autoscaling.behavior.scaleUp.selectPolicy":                 "schema",
	"autoscaling.behavior.scaleUp.policies.type":                "schema",
	"autoscaling.behavior.scaleUp.policies.value":               "schema",
	"autoscaling.behavior.scaleUp.policies.periodSeconds":       "schema",
	"autoscaling.behavior.scaleUp.tolerance":                    "schema",
	"autoscaling.behavior.scaleDown.stabilizationWindowSeconds": "schema",
	"autoscaling.behavior.scaleDown.selectPolicy":               "schema",
	"autoscaling.behavior.scaleDown.policies.type":              "schema",
	"autoscaling.behavior.scaleDown.policies.value":             "schema",
	"autoscaling.behavior.scaleDown.policies.periodSeconds":     "schema",
	"autoscaling.behavior.scaleDown.tolerance":                  "schema",
	"autoscaling.cooldownSeconds":                               "schema",
}

// inner are the fields that have fields, such as env and env.valueFrom.
var inner = parents()

func parents() map[string]bool {
	out := map[string]bool{}
	for path := range fields {
		for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path, '.') {
			path = path[:at]
			out[path] = true
		}
	}

	return out
}

// Unknown refuses the fields of a spec, as it is stored, that no rule knows (rule G4). The platform's own containers are
// trusted with them.
func (p Policy) Unknown(spec map[string]any) field.ErrorList {
	if p.profile == v1alpha1.ProfilePrivileged {
		return nil
	}

	var errs field.ErrorList
	p.unknown(spec, "", root, &errs)

	return errs
}

func (p Policy) unknown(value any, path string, at *field.Path, errs *field.ErrorList) {
	switch v := value.(type) {
	case []any:
		for i, element := range v {
			p.unknown(element, path, at.Index(i), errs)
		}
	case map[string]any:
		if fields[path] != "" {
			return // A map whose keys are the tenant's.
		}
		for _, name := range sorted(v) {
			full := name
			if path != "" {
				full = path + "." + name
			}
			if fields[full] == "" && !inner[full] {
				*errs = append(*errs, field.Forbidden(at.Child(name), fmt.Sprintf(
					"refused by rule G4 of the security profile %s of plan %q: no rule knows the field", p.profile, p.plan)))

				continue
			}
			if inner[full] {
				p.unknown(v[name], full, at.Child(name), errs)
			}
		}
	}
}
