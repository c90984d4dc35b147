package jobrun

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Plan is what was decided.
type Plan struct {
	// Status is what is to be on record. Where it differs from what was read it is written before any step is taken, with the
	// resourceVersion that was read; a conflict ends the pass. Conditions and observedGeneration are as they were: Report.
	Status v1alpha1.TenantJobStatus
	// Ends are the runs that Status says are over, and that were not when it was read. What their tasks wrote last is put into
	// Status by Attach before it is written: afterwards the engine forgets it.
	Ends []End
	// Steps to take, in their order. They follow from the status that was read, and are still right after Status is written.
	Steps []Step
	// News are what people may want to know of what changes.
	News []News
	// Next is when to look again though nothing happens; the zero time when there is no need.
	Next time.Time
	// Invalid is why the schedule means nothing; nil when it does. Runs are attended to all the same.
	Invalid *field.Error
	// Gone is true when the job goes, and nothing of it is left in Swarm, nor can come any more.
	Gone bool
}

// End is a run that is over.
type End struct {
	// Run is its name.
	Run string
	// TaskID is the task whose output tells most about it; empty when there was none.
	TaskID string
	// NodeID is where it ran.
	NodeID string
}

// News is something that happened.
type News struct {
	// Warning is true for what should not happen.
	Warning bool
	// Reason in one word.
	Reason string
	// Message for people.
	Message string
}

// Deed is what a step does.
type Deed string

// The deeds.
const (
	// Create makes the service of a run. Somebody else may have made it: a conflict of names is no error.
	Create Deed = "create"
	// Remove takes the service of a run away, and its tasks with it. It may be gone.
	Remove Deed = "remove"
	// DeleteJob deletes the job, whose time after its end is over.
	DeleteJob Deed = "delete job"
)

// Step is one deed.
type Step struct {
	Deed Deed
	// Run is the name of the run.
	Run string
	// ServiceID of the service to remove.
	ServiceID string
	// Before is until when a service may be made: the call to the engine ends then, whatever it is doing.
	Before time.Time
	// Orphan is true for a service that no record tells of. The record may be newer than what was read: the job is to be read
	// again, from the store and not from a cache, and the service removed only if there is no record still.
	Orphan bool
}

// String is how steps are printed.
func (s Step) String() string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s", s.Deed, s.Run))
	if s.Orphan {
		text += " (orphan)"
	}

	return text
}

// Attach puts what a run wrote last into its record, as much of the end as there is room for. What is not UTF-8 is replaced.
func (p *Plan) Attach(run, output string) {
	for i := range p.Status.History {
		if r := &p.Status.History[i]; r.Name == run {
			r.LogTail = tail(output)
		}
	}
}

// tail is the end of a text, of whole characters and where that leaves something of whole lines.
func tail(output string) string {
	output = strings.ReplaceAll(strings.ToValidUTF8(output, "\uFFFD"), "\x00", "\uFFFD")
	output = strings.TrimRight(output, "\r\n ")
	if len(output) <= v1alpha1.MaxJobLogTail {
		return output
	}

	output = output[len(output)-v1alpha1.MaxJobLogTail:]
	for output != "" && !utf8.RuneStart(output[0]) {
		output = output[1:]
	}
	if _, whole, found := strings.Cut(output, "\n"); found {
		return whole
	}

	return output
}

// brief is a message that fits into a record.
func brief(message string) string {
	message = strings.ToValidUTF8(strings.TrimSpace(message), "\uFFFD")
	if utf8.RuneCountInString(message) <= v1alpha1.MaxJobMessage {
		return message
	}

	return string([]rune(message)[:v1alpha1.MaxJobMessage-1]) + "…"
}
