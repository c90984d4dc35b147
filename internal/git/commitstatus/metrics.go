package commitstatus

import (
	"github.com/prometheus/client_golang/prometheus"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// result is what became of one try to send a state; a closed set, because it is a label.
type result string

const (
	sent    result = "sent"
	retried result = "retried"
	refused result = "refused"
	gaveUp  result = "gave_up"
	dropped result = "dropped"
)

func newTries() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_git_commit_statuses_total",
		Help: "Tries to tell Git servers what became of commits, by whose API it is and by what became of the try.",
	}, []string{"provider", "result"})
}

// providerLabel is the provider, if it is one.
func providerLabel(provider string) string {
	if apiPaths[gitopsv1.CommitStatusProvider(provider)] == "" {
		return "none"
	}

	return provider
}
