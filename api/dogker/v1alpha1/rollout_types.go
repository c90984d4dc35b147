package v1alpha1

// Mode says how many tasks there are.
//
// +kubebuilder:validation:Enum=Replicated;Global
type Mode string

// The modes, as Swarm has them.
const (
	ModeReplicated Mode = "Replicated"
	ModeGlobal     Mode = "Global"
)

// Rollout says how a change of the template reaches the tasks.
type Rollout struct {
	// Parallelism is how many tasks are replaced at a time; 0 is all of them.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:default=1
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`
	// DelaySeconds between two batches.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=600
	// +optional
	DelaySeconds *int32 `json:"delaySeconds,omitempty"`
	// Order is StartFirst (the new task runs before the old one is stopped) or StopFirst. By default StartFirst, or
	// StopFirst where old and new cannot run side by side: ports published in mode Host, and mode Global.
	// +kubebuilder:validation:Enum=StartFirst;StopFirst
	// +optional
	Order RolloutOrder `json:"order,omitempty"`
	// MonitorSeconds is how long a new task must run before it counts as good. By default 5, and with a healthCheck as
	// long as it takes to notice that a task has become unhealthy, failureThreshold times periodSeconds and
	// timeoutSeconds, but no more than half of progressDeadlineSeconds.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	MonitorSeconds *int32 `json:"monitorSeconds,omitempty"`
	// MaxFailurePercent is how many of the new tasks may fail before failureAction is taken.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxFailurePercent *int32 `json:"maxFailurePercent,omitempty"`
	// FailureAction is Rollback (the last good revision is put back, and the failed template is not tried again until
	// it changes), Pause (stop and wait for a new spec) or Continue.
	// +kubebuilder:validation:Enum=Rollback;Pause;Continue
	// +kubebuilder:default=Rollback
	// +optional
	FailureAction FailureAction `json:"failureAction,omitempty"`
	// ProgressDeadlineSeconds after which a rollout that has not finished counts as failed. Swarm itself has no such
	// limit and would wait for ever.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=600
	// +optional
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`
	// PreDeploy must succeed before a new revision is started. What runs goes on meanwhile, and when it fails. A change of
	// preDeploy alone runs nothing, unless it has failed for the revision that waits; nor does a rollback.
	// +optional
	PreDeploy *PreDeploy `json:"preDeploy,omitempty"`
}

// RolloutOrder says which of the old and the new task goes first.
type RolloutOrder string

// The orders, as Swarm has them.
const (
	OrderStartFirst RolloutOrder = "StartFirst"
	OrderStopFirst  RolloutOrder = "StopFirst"
)

// FailureAction is what is done when a rollout fails.
type FailureAction string

// The failure actions, as Swarm has them.
const (
	FailureRollback FailureAction = "Rollback"
	FailurePause    FailureAction = "Pause"
	FailureContinue FailureAction = "Continue"
)

// RestartPolicy says when an ended task is started again.
type RestartPolicy struct {
	// Condition is Always, OnFailure (exit code other than 0) or Never.
	// +kubebuilder:validation:Enum=Always;OnFailure;Never
	// +kubebuilder:default=Always
	// +optional
	Condition RestartCondition `json:"condition,omitempty"`
	// DelaySeconds before a task is started again.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +kubebuilder:default=5
	// +optional
	DelaySeconds *int32 `json:"delaySeconds,omitempty"`
	// MaxAttempts within the window; 0 or not set is no limit.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`
	// WindowSeconds in which attempts are counted; 0 or not set is for ever.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	// +optional
	WindowSeconds *int32 `json:"windowSeconds,omitempty"`
}

// RestartCondition says which ends are followed by a start.
type RestartCondition string

// The restart conditions, with Kubernetes' names.
const (
	RestartAlways    RestartCondition = "Always"
	RestartOnFailure RestartCondition = "OnFailure"
	RestartNever     RestartCondition = "Never"
)

// Dependency is a container that must be Ready first.
type Dependency struct {
	// Name of a TenantContainer of the same namespace.
	Name DNSLabel `json:"name"`
}
