package v1alpha1

// SwarmLabelRun on a service is the name of the run of a TenantJob that it is. A job's service is never updated: any update, even
// of a label, makes Swarm run it again.
const SwarmLabelRun = "io.dogker.run"
