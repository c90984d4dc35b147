package v1alpha1

// SwarmLabelRun on a service is the name of the run of a TenantJob that it is. A job's service is never updated: any update, even
// of a label, makes Swarm run it again.
const SwarmLabelRun = "io.dogker.run"

// Labels of the pods that show tasks of a TenantJob.
const (
	// LabelJob names the TenantJob.
	LabelJob = "dogker.io/job"
	// LabelRun names its run.
	LabelRun = "dogker.io/run"
)
