package v1alpha1

// SwarmLabelRun on a service is the name of the run of a TenantJob that it is. Only services of TenantJobs have it, one for each run.
const SwarmLabelRun = "io.dogker.run"

// AnnotationJobFrom on a TenantJob names the one that it was made of by hand.
const AnnotationJobFrom = "dogker.io/job-from"

// Labels of the pods that show tasks of a TenantJob.
const (
	// LabelJob names the TenantJob.
	LabelJob = "dogker.io/job"
	// LabelRun names its run.
	LabelRun = "dogker.io/run"
)

// LabelPreDeploy marks the TenantJobs that have to succeed before a new revision of the container in LabelContainer is started.
const LabelPreDeploy = "dogker.io/pre-deploy"
