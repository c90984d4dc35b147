package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TenantJob runs a container to its end: once, or at every tick of a schedule. Each run is a service of its own in Swarm, which is
// gone with its tasks when the run is over; what is known of it stays in status.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=tenantjobs,shortName=tj,categories=dogker
// +kubebuilder:printcolumn:name="Schedule",type=string,JSONPath=`.spec.schedule`,description="When it runs; once when there is none."
// +kubebuilder:printcolumn:name="Suspend",type=boolean,JSONPath=`.spec.suspend`,description="Whether no run is begun."
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.running`,description="Runs that are not over."
// +kubebuilder:printcolumn:name="LastSchedule",type=date,JSONPath=`.status.lastScheduleTime`,description="The tick of the last run."
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether nothing is wrong with the job itself."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="TimeZone",type=string,priority=1,JSONPath=`.spec.timeZone`,description="The zone whose clocks the schedule goes by."
// +kubebuilder:printcolumn:name="NextSchedule",type=string,priority=1,JSONPath=`.status.nextScheduleTime`,description="The next tick."
// +kubebuilder:printcolumn:name="LastSuccess",type=date,priority=1,JSONPath=`.status.lastSuccessfulTime`,description="When a run last succeeded."
// +kubebuilder:printcolumn:name="Missed",type=integer,priority=1,JSONPath=`.status.missedRuns`,description="Ticks that had no run."
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.spec.template.image`,description="The image as declared."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52 && !self.metadata.name.contains('.')",message="metadata.name must be at most 52 characters without dots: the names of runs add 11 characters to it, and are DNS labels",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be at most 52 characters without dots: the names of runs add 11 characters to it, and are DNS labels'"
type TenantJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is asked for.
	Spec TenantJobSpec `json:"spec"`
	// Status is what became of it. Unlike that of other kinds it is a record, and is not restored when deleted. Until it was
	// looked at it is about no generation.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status TenantJobStatus `json:"status,omitempty"`
}

// TenantJobList is a list of TenantJobs.
//
// +kubebuilder:object:root=true
type TenantJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TenantJob `json:"items"`
}

// TenantJobSpec is what the tenant asks for; only the tenant writes it.
//
// +kubebuilder:validation:XValidation:rule="has(self.schedule) == has(oldSelf.schedule)",message="schedule is immutable in that it cannot be added to or removed from a job: make another job"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || self.template == oldSelf.template",message="template is immutable in a job without a schedule, which runs once: make another job"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || (has(self.completions) == has(oldSelf.completions) && (!has(self.completions) || self.completions == oldSelf.completions))",message="completions is immutable in a job without a schedule, which runs once: make another job"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || self.parallelism == oldSelf.parallelism",message="parallelism is immutable in a job without a schedule, which runs once: make another job"
// +kubebuilder:validation:XValidation:rule="!has(self.completions) || self.parallelism <= self.completions",message="parallelism must not be greater than completions, which is as many tasks as there are to be"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || !has(self.timeZone)",message="timeZone must not be set without schedule"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || !has(self.startingDeadlineSeconds)",message="startingDeadlineSeconds must not be set without schedule"
type TenantJobSpec struct {
	// Schedule says when it runs: minute, hour, day of the month, month and day of the week, as crontab(5) has them, or @hourly,
	// @daily, @midnight, @weekly, @monthly, @yearly or @annually. Without one the job runs once, when it is made.
	//
	// The clock on the wall of timeZone decides. Where all hours are named (*), a time that the clock shows twice is two ticks,
	// and one that it skips is none. Where some hours are named, a time that is shown twice is a tick the first time, and one
	// that is skipped is a tick at the moment at which it is skipped: what runs at night runs once a night.
	// +optional
	Schedule CronExpression `json:"schedule,omitempty"`

	// TimeZone is the name of the zone whose clocks count, from the IANA database: Asia/Jakarta. UTC when not set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`

	// Suspend begins no run while it is true; ticks meanwhile are missed. What runs goes on.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// ConcurrencyPolicy says what happens at a tick while an earlier run is not over. Allow begins another run beside it, up to
	// ten, or after it where runs write to data that one node has, or a quota limits cpu or memory; Forbid misses the tick; Replace
	// stops the earlier run first.
	// +kubebuilder:default=Allow
	// +optional
	ConcurrencyPolicy ConcurrencyPolicy `json:"concurrencyPolicy,omitempty"`

	// StartingDeadlineSeconds is how late a run may begin, when nothing was there to begin it at its tick. Later than that the
	// tick is missed. Without it the latest tick is made up for, however late; those before it are always missed.
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	StartingDeadlineSeconds *int64 `json:"startingDeadlineSeconds,omitempty"`

	// SuccessfulJobsHistoryLimit is how many runs that succeeded are kept in status.history. A job without a schedule keeps its
	// run whatever it says.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	// +kubebuilder:default=3
	// +optional
	SuccessfulJobsHistoryLimit *int32 `json:"successfulJobsHistoryLimit,omitempty"`

	// FailedJobsHistoryLimit is how many runs that failed or were interrupted are kept.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	// +kubebuilder:default=1
	// +optional
	FailedJobsHistoryLimit *int32 `json:"failedJobsHistoryLimit,omitempty"`

	// ActiveDeadlineSeconds is how long a run may take, from when it was begun, tries included. It is stopped then, and has failed.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// BackoffLimit is how many failed tasks a run may have before it has failed itself. Each is tried again after ten seconds.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=6
	// +optional
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// Parallelism is how many tasks of a run there are at a time.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +kubebuilder:default=1
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`

	// Completions is how many tasks of a run must succeed; as many as parallelism when not set.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Completions *int32 `json:"completions,omitempty"`

	// TTLSecondsAfterFinished is how long a run is remembered after its end. A job without a schedule is deleted then.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	// +optional
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// Template is what a run runs. A change concerns the runs that begin after it.
	Template JobTemplate `json:"template"`
}

// CronExpression is a schedule of five fields, or one of the names that stand for some.
//
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule="self.matches('^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[^ @=]+( +[^ =]+){4})$')",message="must be minute, hour, day of month, month and day of week, such as 30 2 * * *, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually",messageExpression="'\"' + self + '\" must be minute, hour, day of month, month and day of week, such as 30 2 * * *, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually'"
type CronExpression string

// ConcurrencyPolicy says what happens at a tick while an earlier run is not over.
//
// +kubebuilder:validation:Enum=Allow;Forbid;Replace
type ConcurrencyPolicy string

// The policies.
const (
	// ConcurrencyAllow begins another run beside it, where that may be, and otherwise after it.
	ConcurrencyAllow ConcurrencyPolicy = "Allow"
	// ConcurrencyForbid misses the tick.
	ConcurrencyForbid ConcurrencyPolicy = "Forbid"
	// ConcurrencyReplace stops the earlier run first.
	ConcurrencyReplace ConcurrencyPolicy = "Replace"
)
