package compose

import (
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// What Docker takes where a health check says nothing. Ours are shorter, so they are written out.
const (
	dockerPeriod  = 30
	dockerTimeout = 30
	dockerRetries = 3

	// The bounds of rule R3.
	leastPeriod  = 5
	mostPeriod   = 3600
	mostTimeout  = 30
	mostFailures = 10

	maxCheckWords = 64
)

// health converts a health check.
func (s *service) health() {
	h := s.HealthCheck
	if h == nil || !h.Disable && len(h.Test) == 0 && h.Interval == nil && h.Timeout == nil && h.Retries == nil && h.StartPeriod == nil {
		s.withoutHealth()
		return
	}
	if h.Disable || len(h.Test) > 0 && h.Test[0] == "NONE" {
		s.spec.HealthCheck = &v1alpha1.HealthCheck{Disabled: true}
		return
	}
	command, ok := s.check(h.Test)
	if !ok {
		return
	}

	out := &v1alpha1.HealthCheck{Exec: &v1alpha1.ExecCheck{Command: command}}
	out.PeriodSeconds = new(s.checkTime("interval", h.Interval, dockerPeriod, leastPeriod, mostPeriod, "checks are 5 seconds to an hour apart (rule R3)"))
	out.TimeoutSeconds = new(s.checkTime("timeout", h.Timeout, dockerTimeout, 1, mostTimeout, "a check takes 1 to 30 seconds (rule R3)"))
	retries := uint64(dockerRetries)
	if h.Retries != nil && *h.Retries > 0 {
		retries = min(*h.Retries, 1<<31)
	}
	out.FailureThreshold = new(int32(s.number("healthcheck.retries", int64(retries), 1, mostFailures, "at most 10 checks may fail (rule R3)")))
	if h.StartPeriod != nil && *h.StartPeriod > 0 {
		out.StartPeriodSeconds = new(int32(s.seconds("healthcheck.start_period", *h.StartPeriod, 0, mostPeriod, "it is at most an hour")))
	}
	s.spec.HealthCheck = out
}

func (s *service) checkTime(field string, d *types.Duration, byDefault int32, least, most int64, why string) int32 {
	if d == nil || *d == 0 {
		return byDefault
	}

	return int32(s.seconds("healthcheck."+field, *d, least, most, why))
}

// check is the command of a test. What is for a shell is given to one.
func (s *service) check(test types.HealthCheckTest) ([]v1alpha1.CheckText, bool) {
	const own = "write the whole check as test"
	words := []string(test)
	switch {
	case len(words) < 2:
		s.lost(s.path("healthcheck"), "", "times are of a check that is declared here, and that of the image keeps its own", own)
		return nil, false
	case words[0] == "CMD-SHELL":
		words = []string{"/bin/sh", "-c", words[1]}
	default:
		words = words[1:]
	}
	if len(words) > maxCheckWords {
		s.lost(s.path("healthcheck.test"), words[0], "a check has at most 64 words", "put it into a script in the image")
		return nil, false
	}
	out := make([]v1alpha1.CheckText, len(words))
	for i, word := range words {
		if why := aText(word, maxCheck); why != "" {
			s.lost(s.path("healthcheck.test"), words[0], why, "put it into a script in the image")
			return nil, false
		}
		out[i] = v1alpha1.CheckText(word)
	}

	return out, true
}

// withoutHealth says what is missed by those whom somebody outside would miss.
func (s *service) withoutHealth() {
	for _, p := range s.spec.Ports {
		if p.Publish != nil {
			s.note(s.path("healthcheck"), "", "there is none, so unless the image has one, a new task counts as good the moment it runs, and a rollout can lose requests",
				"declare one")
			return
		}
	}
}
