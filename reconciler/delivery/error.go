package delivery

import (
	"fmt"
	"strconv"
	"strings"
)

// Reason says in a word what is wrong with an object.
type Reason string

// Reasons.
const (
	// ReasonInvalid means that the API does not take it, whoever asks.
	ReasonInvalid Reason = "Invalid"
	// ReasonForbidden means that the ServiceAccount may not, or that a policy forbids it.
	ReasonForbidden Reason = "Forbidden"
	// ReasonQuotaExceeded means that there is no room for it, or not for all of it together.
	ReasonQuotaExceeded Reason = "QuotaExceeded"
	// ReasonNamespaceRefused means that it is outside of the sync's namespace.
	ReasonNamespaceRefused Reason = "NamespaceRefused"
	// ReasonKindUnknown means that the API has no such kind.
	ReasonKindUnknown Reason = "KindUnknown"
	// ReasonImmutable means that the change needs the object to be made anew, and that nobody allows that.
	ReasonImmutable Reason = "Immutable"
	// ReasonForeign means that another sync has it.
	ReasonForeign Reason = "Foreign"
	// ReasonConflict means that somebody else changes it all the time.
	ReasonConflict Reason = "Conflict"
	// ReasonTerminating means that it is being deleted, and must be gone before it can be made anew.
	ReasonTerminating Reason = "Terminating"
	// ReasonUnhealthy means that it does not become Ready.
	ReasonUnhealthy Reason = "Unhealthy"
	// ReasonUnavailable means that the API did not answer as it should.
	ReasonUnavailable Reason = "Unavailable"
)

// Error is why an object is not as the repository has it. Tenants read it: it holds no values of Secrets.
type Error struct {
	// File and Line are where the object is declared; empty and 0 where that is not known.
	File string
	Line int
	// Object as people write it: TenantContainer/web. Empty where it is about no single one.
	Object string
	Reason Reason
	// Field of the object that is wrong, where that is known.
	Field string
	// Message says it in a sentence.
	Message string
	// Transient is true when trying again may help without a new commit.
	Transient bool
	// Cause is what errors.Is looks into. It is not shown, because it may hold values.
	Cause error
}

// Error says where and what in one line: "apps/web.yaml:12: TenantContainer/web: spec.replicas: must be a number".
func (e *Error) Error() string {
	place := e.File
	if e.File != "" && e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}

	var parts []string

	for _, part := range []string{place, e.Object, e.Field, e.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}

	return strings.Join(parts, ": ")
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errors are all that is wrong, in the order of the build.
type Errors []*Error

// shownErrors is how many of them a condition has room for.
const shownErrors = 5

// Error has the first of them, and the number of the others.
func (e Errors) Error() string {
	var parts []string

	for _, one := range e[:min(len(e), shownErrors)] {
		parts = append(parts, one.Error())
	}

	if more := len(e) - shownErrors; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}

	return strings.Join(parts, "; ")
}

// Unwrap makes errors.Is and errors.As see them all.
func (e Errors) Unwrap() []error {
	out := make([]error, 0, len(e))
	for _, one := range e {
		out = append(out, one)
	}

	return out
}

// Transient is true when there is a chance that all of them go away by themselves.
func (e Errors) Transient() bool {
	for _, one := range e {
		if !one.Transient {
			return false
		}
	}

	return true
}

// Err is nil for none, so that callers can return it.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}

	return e
}
