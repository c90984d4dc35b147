package registry

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// op is what a request to a registry is for; a closed set, because it is a label.
type op string

const (
	opPing  op = "ping"
	opToken op = "token"
	opHead  op = "head"
	opGet   op = "get"
	opTags  op = "tags"
)

func newRequests() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dogker_registry_requests_total",
		Help: "Requests sent to container registries and their token servers, by operation and HTTP status; code none is no answer.",
	}, []string{"op", "code"})
}

// codeLabel is the status if HTTP defines it. What a registry makes up is other, so that it cannot make up labels.
func codeLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case http.StatusText(status) == "":
		return "other"
	default:
		return strconv.Itoa(status)
	}
}
