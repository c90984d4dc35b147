package controlplane

import (
	genericoptions "k8s.io/apiserver/pkg/server/options"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

const (
	auditMaxSizeMiB = 50
	auditMaxBackups = 10
	auditMaxAgeDays = 90
)

// auditPolicy logs who asked for what and what became of it, and never a body, so no Secret can reach the log. What
// this process reads, and the heartbeats by which its controllers elect a leader, are left out: they say nothing about
// anybody, and there are many of them.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: ["system:apiserver"]
  verbs: [get, list, watch]
- level: None
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*"]
- level: None
  users: ["system:apiserver"]
  resources:
  - {group: "", resources: [events]}
  - {group: events.k8s.io, resources: [events]}
- level: Metadata
`

// applyAudit writes the policy and points the options at policy and log. Events are written before the answer leaves,
// because an audit log that loses the last seconds before a crash loses the seconds that matter.
func applyAudit(o *genericoptions.AuditOptions, dir datadir.Dir) error {
	if err := datadir.WriteFile(dir.AuditPolicy(), []byte(auditPolicy)); err != nil {
		return err
	}

	o.PolicyFile = dir.AuditPolicy()
	o.LogOptions.Path = dir.AuditLog()
	o.LogOptions.MaxSize = auditMaxSizeMiB
	o.LogOptions.MaxBackups = auditMaxBackups
	o.LogOptions.MaxAge = auditMaxAgeDays
	o.LogOptions.Compress = true

	return nil
}
