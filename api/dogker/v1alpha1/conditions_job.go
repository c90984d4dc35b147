package v1alpha1

// Condition types of TenantJobs, besides Ready, Reconciling, Stalled and Suspended. They are those of Kubernetes' Jobs; of a job with
// a schedule they are about the last run that is over.
const (
	// ConditionComplete is True when the run has succeeded. Absent otherwise.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the run has failed or was interrupted. Absent otherwise. Negative polarity.
	ConditionFailed = "Failed"
)

// Reasons of Ready of TenantJobs, besides those of all kinds.
const (
	// ReasonScheduled: the job waits for the next tick of its schedule.
	ReasonScheduled = "Scheduled"
	// ReasonActive: at least one run is not over.
	ReasonActive = "Active"
	// ReasonComplete: the run has succeeded.
	ReasonComplete = "Complete"
)

// Reasons of runs, and of the conditions Complete and Failed.
const (
	// ReasonCompletionsReached: as many tasks as were asked for have succeeded.
	ReasonCompletionsReached = "CompletionsReached"
	// ReasonBackoffLimitExceeded: more tasks have failed than backoffLimit.
	ReasonBackoffLimitExceeded = "BackoffLimitExceeded"
	// ReasonDeadlineExceeded: the run took longer than activeDeadlineSeconds.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonTasksEnded: no task is left, Swarm starts none, and too few have succeeded.
	ReasonTasksEnded = "TasksEnded"
	// ReasonServiceLost: somebody has removed the service of the run.
	ReasonServiceLost = "ServiceLost"
	// ReasonReplaced: the next run has begun, as concurrencyPolicy asks.
	ReasonReplaced = "Replaced"
	// ReasonInterrupted: the run was stopped for a reason that is not its own.
	ReasonInterrupted = "Interrupted"
	// ReasonWaitingForService: the run is on record, and its service is about to be made.
	ReasonWaitingForService = "WaitingForService"
	// ReasonWaitingForOther: an earlier run is not over or still stopping, and no two may run at a time, by concurrencyPolicy, by what
	// they write to, or by the quota.
	ReasonWaitingForOther = "WaitingForOther"
)

// Reasons for which ticks are missed.
const (
	// MissedNotObserved: nothing was there to begin a run: Dogker was down, or the clock was put forward.
	MissedNotObserved = "NotObserved"
	// MissedStartingDeadline: it was too late by startingDeadlineSeconds.
	MissedStartingDeadline = "StartingDeadlineExceeded"
	// MissedConcurrency: an earlier run was not over, and concurrencyPolicy is Forbid.
	MissedConcurrency = "ConcurrencyForbidden"
	// MissedTooManyActive: ten runs were not over.
	MissedTooManyActive = "TooManyActive"
	// MissedSuspended: no run was to begin.
	MissedSuspended = "Suspended"
	// MissedScheduleChanged: the schedule was changed before the tick was decided.
	MissedScheduleChanged = "ScheduleChanged"
)

// Reasons of events of TenantJobs, besides those of runs.
const (
	// ReasonRunRecorded: a run begins.
	ReasonRunRecorded = "RunRecorded"
	// ReasonMissedRun: ticks have no run; the message says why.
	ReasonMissedRun = "MissedRun"
	// ReasonClockPutBack: the clock shows less than it has. Ticks that may have had their run have no second one.
	ReasonClockPutBack = "ClockPutBack"
)
