package promquery

import (
	"errors"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// Explain is what the tenant whose query it was may read about an error: what is wrong with the query, or with its answer. Where
// Prometheus is, and why it cannot be reached, is the platform's business. The text of an error stays the same for as long as
// its cause does.
func Explain(err error) string {
	var said *promv1.Error

	switch {
	case errors.Is(err, ErrRefused), errors.Is(err, ErrNoData), errors.Is(err, ErrNotOne), errors.Is(err, errHistograms), errors.Is(err, errElements):
		return err.Error()
	case errors.As(err, &said) && (said.Type == promv1.ErrBadData || said.Type == promv1.ErrExec):
		return "Prometheus says: " + said.Msg
	default:
		return "Prometheus does not answer"
	}
}
