package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Bounds of what status keeps.
const (
	// MaxActiveRuns is how many runs of a job there are at a time.
	MaxActiveRuns = 10
	// MaxJobLogTail is how much of what a run wrote last is kept, in bytes.
	MaxJobLogTail = 2048
	// MaxJobMessage is how long the message of a run is, in characters.
	MaxJobMessage = 512
	// MaxMissedEntries is how many stretches of missed ticks are kept.
	MaxMissedEntries = 10
	// MaxTickStretches is how many stretches of ticks that may have had runs are kept.
	MaxTickStretches = 8
)

// TenantJobStatus is what became of a job; only the controller of jobs writes it, always with the version that it has read. It is
// a record: that a tick had its run is known from here alone.
type TenantJobStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Running is how many runs are not over.
	// +optional
	Running int32 `json:"running"`
	// Succeeded is how many runs have succeeded since the job was made.
	// +optional
	Succeeded int64 `json:"succeeded,omitempty"`
	// Failed is how many runs have failed or were interrupted since the job was made.
	// +optional
	Failed int64 `json:"failed,omitempty"`
	// Active are the runs that are not over, the oldest first.
	// +kubebuilder:validation:MaxItems=10
	// +listType=map
	// +listMapKey=name
	// +optional
	Active []JobRun `json:"active,omitempty"`
	// History are the runs that are over, the latest first.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	History []JobRun `json:"history,omitempty"`
	// LastScheduleTime is the tick of the last run.
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`
	// LastSuccessfulTime is when a run last succeeded.
	// +optional
	LastSuccessfulTime *metav1.Time `json:"lastSuccessfulTime,omitempty"`
	// NextScheduleTime is the next tick; not there while none is to have a run.
	// +optional
	NextScheduleTime *metav1.Time `json:"nextScheduleTime,omitempty"`
	// MissedRuns is how many ticks had no run since the job was made. Those of a suspension count when it ends.
	// +optional
	MissedRuns int64 `json:"missedRuns,omitempty"`
	// Missed says why, for the latest of them, the latest first.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Missed []MissedRuns `json:"missed,omitempty"`
	// Clock is which ticks are decided.
	// +optional
	Clock *JobClock `json:"clock,omitempty"`
}

// JobRun is one run of a job.
type JobRun struct {
	// Name of the run, made of the job's name, its UID and the tick. The service in Swarm is named after it.
	Name string `json:"name"`
	// ScheduledTime is its tick; not there for a job without a schedule.
	// +optional
	ScheduledTime *metav1.Time `json:"scheduledTime,omitempty"`
	// StartTime is when it was put on record, before anything of it was there. It never was for a tick that was missed.
	StartTime metav1.Time `json:"startTime"`
	// StartBefore is until when whoever reads this may make the service.
	StartBefore metav1.Time `json:"startBefore"`
	// CompletionTime is when its end was put on record.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	// Phase of the run.
	Phase JobRunPhase `json:"phase"`
	// Reason for the phase, in one word.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says why, in the engine's own words where there are any.
	// +optional
	Message string `json:"message,omitempty"`
	// ExitCode of the task that decided the result.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`
	// LogTail is what that task wrote last: at most 2 KiB.
	// +optional
	LogTail string `json:"logTail,omitempty"`
	// Succeeded is how many tasks have succeeded.
	// +optional
	Succeeded int32 `json:"succeeded,omitempty"`
	// Failed is how many tasks have failed.
	// +optional
	Failed int32 `json:"failed,omitempty"`
	// Attempts is how many tasks there were.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// ServiceID in Swarm, from when it was seen there.
	// +optional
	ServiceID string `json:"serviceID,omitempty"`
	// MissingSince is when the service was first looked for and not found though nobody here has removed it.
	// +optional
	MissingSince *metav1.Time `json:"missingSince,omitempty"`
	// Generation of the spec when the run was put on record.
	// +optional
	Generation int64 `json:"generation,omitempty"`
}

// JobRunPhase is how far a run has come.
//
// +kubebuilder:validation:Enum=Pending;Running;Succeeded;Failed;Interrupted
type JobRunPhase string

// The phases. The last three are final.
const (
	// RunPending: the run is on record, and no task of it has run yet.
	RunPending JobRunPhase = "Pending"
	// RunRunning: a task of it runs or ran.
	RunRunning JobRunPhase = "Running"
	// RunSucceeded: as many tasks as were asked for have succeeded.
	RunSucceeded JobRunPhase = "Succeeded"
	// RunFailed: more tasks have failed than backoffLimit, or it took too long.
	RunFailed JobRunPhase = "Failed"
	// RunInterrupted: it was stopped for a reason that is not its own. It is not begun again by itself.
	RunInterrupted JobRunPhase = "Interrupted"
)

// MissedRuns are ticks after each other that had no run for the same reason.
type MissedRuns struct {
	// FirstTime is the first of the ticks.
	FirstTime metav1.Time `json:"firstTime"`
	// LastTime is the last of them.
	LastTime metav1.Time `json:"lastTime"`
	// Count is how many there were.
	Count int64 `json:"count"`
	// Reason in one word.
	Reason string `json:"reason"`
	// Message says why, in a sentence.
	// +optional
	Message string `json:"message,omitempty"`
}

// JobClock is which ticks of a schedule are decided: they had their run or were missed, and are never looked at again.
type JobClock struct {
	// Schedule and its zone by which ticks were decided. Ticks of another one count from when it was seen.
	// +optional
	Schedule string `json:"schedule,omitempty"`
	// DecidedUntil: ticks up to and at this time are decided.
	DecidedUntil metav1.Time `json:"decidedUntil"`
	// Ran are the times whose ticks may have had runs, the earliest first. A tick in one of them has no second run when the clock
	// is put back; when there are too many, those that are closest become one.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Ran []TickStretch `json:"ran,omitempty"`
	// SuspendedSince is since when no run is to begin.
	// +optional
	SuspendedSince *metav1.Time `json:"suspendedSince,omitempty"`
}

// TickStretch is a time whose ticks were decided as they came.
type TickStretch struct {
	// Since is the first of its ticks.
	Since metav1.Time `json:"since"`
	// Until is the last of them.
	Until metav1.Time `json:"until"`
}
