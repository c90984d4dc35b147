package v1alpha1

// Condition types. Ready summarises and is always present; Reconciling and Stalled exist only while True (the kstatus
// convention that kubectl wait and GitOps tools read); the rest are absent when there is nothing to say.
const (
	// ConditionReady is True while the declared tasks of the declared revision run and are healthy.
	ConditionReady = "Ready"
	// ConditionReconciling is True while Dogker works towards the spec. Absent otherwise.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when only a change by somebody can help. Absent otherwise. Negative polarity.
	ConditionStalled = "Stalled"
	// ConditionSuspended is True while an annotation holds the container at zero replicas.
	ConditionSuspended = "Suspended"
	// ConditionPaused is True while spec.paused holds changes of the template back.
	ConditionPaused = "Paused"
	// ConditionRolledBack is True while an earlier revision runs because the declared one failed. Negative polarity.
	ConditionRolledBack = "RolledBack"
	// ConditionRecreating is True while the service is replaced because Swarm cannot make the change in place.
	ConditionRecreating = "Recreating"
	// ConditionImagePinned is False while tasks run an image that is not fixed to a registry's digest.
	ConditionImagePinned = "ImagePinned"
	// ConditionContested is True when somebody else keeps changing the service and Dogker keeps putting it back.
	ConditionContested = "Contested"
)

// Reasons of Ready, Reconciling and Stalled.
const (
	// ReasonRunning: every declared task runs the declared revision.
	ReasonRunning = "Running"
	// ReasonScaledToZero: zero replicas are declared and none runs.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonOutsideSchedule: no window of spec.schedule is open, and no task runs.
	ReasonOutsideSchedule = "OutsideSchedule"
	// ReasonSuspended: an annotation holds the container at zero replicas.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: tasks of the declared revision are being started.
	ReasonProgressing = "Progressing"
	// ReasonRollingBack: tasks of an earlier revision are being put back.
	ReasonRollingBack = "RollingBack"
	// ReasonRolledBack: the declared revision failed and an earlier one runs.
	ReasonRolledBack = "RolledBack"
	// ReasonRolloutPaused: the rollout stopped after a failure, as spec.rollout.failureAction asks.
	ReasonRolloutPaused = "RolloutPaused"
	// ReasonPaused: spec.paused holds the change back.
	ReasonPaused = "Paused"
	// ReasonRecreating: the service is being replaced.
	ReasonRecreating = "Recreating"
	// ReasonDeleting: the object is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonWaitingForDependency: a container named in spec.dependsOn is not Ready.
	ReasonWaitingForDependency = "WaitingForDependency"
	// ReasonInvalidSchedule: spec.schedule cannot be understood.
	ReasonInvalidSchedule = "InvalidSchedule"
	// ReasonDependencyCycle: spec.dependsOn leads back to this container.
	ReasonDependencyCycle = "DependencyCycle"
	// ReasonImageUnavailable: the image could not be resolved, or no engine holds it.
	ReasonImageUnavailable = "ImageUnavailable"
	// ReasonImageNotTrusted: the tenant's plan asks for a signature, and the image has none by one of its keys.
	ReasonImageNotTrusted = "ImageNotTrusted"
	// ReasonPreDeploying: the job of spec.rollout.preDeploy has to succeed first.
	ReasonPreDeploying = "PreDeploying"
	// ReasonPreDeployFailed: it has failed, and the revision is not started.
	ReasonPreDeployFailed = "PreDeployFailed"
	// ReasonRefusedByPolicy: the policy of the tenant does not permit what is to run.
	ReasonRefusedByPolicy = "RefusedByPolicy"
	// ReasonReferenceNotFound: a Secret, a ConfigMap or a key of one does not exist.
	ReasonReferenceNotFound = "ReferenceNotFound"
	// ReasonInvalidReference: what a reference holds cannot be used.
	ReasonInvalidReference = "InvalidReference"
	// ReasonRevisionNotFound: spec.rollbackTo names a revision that is not in the history.
	ReasonRevisionNotFound = "RevisionNotFound"
	// ReasonInvalidSpec: the spec cannot be expressed in Swarm; the message says which field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonUnschedulable: no node satisfies placement, platform, resources or host ports.
	ReasonUnschedulable = "Unschedulable"
	// ReasonPortConflict: a published port is taken by something else.
	ReasonPortConflict = "PortConflict"
	// ReasonNameConflict: Swarm has an object of our name that is not ours.
	ReasonNameConflict = "NameConflict"
	// ReasonAdoptionRefused: the service that the annotation dogker.io/adopt names cannot be adopted as it is.
	ReasonAdoptionRefused = "AdoptionRefused"
	// ReasonProgressDeadlineExceeded: the rollout made no progress within spec.rollout.progressDeadlineSeconds.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
	// ReasonTaskFailed: tasks end with a non-zero exit code.
	ReasonTaskFailed = "TaskFailed"
	// ReasonCrashLoop: tasks start and end again and again.
	ReasonCrashLoop = "CrashLoop"
	// ReasonOOMKilled: a task was killed for using more memory than its limit.
	ReasonOOMKilled = "OOMKilled"
	// ReasonUnhealthy: a task failed its health check.
	ReasonUnhealthy = "Unhealthy"
	// ReasonTenantNotReady: the network of the tenant is not there yet.
	ReasonTenantNotReady = "TenantNotReady"
	// ReasonStarting: tasks are being assigned, prepared or started.
	ReasonStarting = "Starting"
	// ReasonCompleted: tasks ended with exit code zero and the restart policy lets them rest.
	ReasonCompleted = "Completed"
	// ReasonEngineUnavailable: the engine does not answer, so nothing is known.
	ReasonEngineUnavailable = "EngineUnavailable"
	// ReasonSwarmInactive: the engine is no member of a swarm.
	ReasonSwarmInactive = "SwarmInactive"
	// ReasonNotManager: the engine is a worker; only a manager can be asked.
	ReasonNotManager = "NotManager"
	// ReasonNoLeader: the swarm has no leader at the moment.
	ReasonNoLeader = "NoLeader"
	// ReasonStaleController: Swarm holds a newer generation than this controller has seen.
	ReasonStaleController = "StaleController"
	// ReasonContested: somebody else keeps changing the service.
	ReasonContested = "Contested"
	// ReasonError: an unexpected error, retried with back-off.
	ReasonError = "Error"
)

// Reasons of ConditionImagePinned.
const (
	// ReasonPinned: tasks run a registry's digest.
	ReasonPinned = "Pinned"
	// ReasonRegistryUnavailable: the registry did not answer and a copy that an engine holds is used.
	ReasonRegistryUnavailable = "RegistryUnavailable"
	// ReasonPullNever: imagePullPolicy Never asks no registry.
	ReasonPullNever = "PullNever"
)
