package views

import (
	"math/rand/v2"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// versions of objects are decimal, as in Kubernetes, and have two parts: when this server was started, in seconds and
// something that two servers do not have in common, and above that what has changed since.
//
//	 62      33 32                     0
//	┌──────────┬────────────────────────┐
//	│ seconds  │ random + changes       │
//	└──────────┴────────────────────────┘
//
// So a later start has larger versions than an earlier one, and a version that is not from here is outside of those that
// were given out, but for a chance of one in billions for each change.
const (
	epochShift  = 33
	epochRandom = 1 << 32
)

// epochZero is when the seconds begin: they are good until 2060.
var epochZero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// firstVersion is where the versions of a server that is started now begin.
func firstVersion(now time.Time) uint64 {
	seconds := max(now.Unix()-epochZero.Unix(), 0)

	return uint64(seconds)<<epochShift | rand.Uint64N(epochRandom) //nolint:gosec // It keeps servers apart, not secrets.
}

// parseVersion reads a version that a client has sent. It is false for none, and for 0, which stands for any.
func parseVersion(text string) (v uint64, given bool, err error) {
	if text == "" || text == "0" {
		return 0, false, nil
	}
	v, err = strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false, apierrors.NewBadRequest("resourceVersion: Invalid value: " + strconv.Quote(text) + ": must be one that this API has given out")
	}

	return v, true, nil
}

func formatVersion(v uint64) string { return strconv.FormatUint(v, 10) }

// errExpired makes clients list anew.
func errExpired() error {
	return apierrors.NewResourceExpired("the resourceVersion is of another server, of an earlier start of this one, or too old: list anew")
}
