package jobrun

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// A suffix has the letters of Kubernetes' generated names, without vowels and what looks like them.
const (
	suffixLength  = 10
	suffixLetters = "bcdfghjklmnpqrstvwxz2456789"
)

// Name is the name of the run of a tick: the same for everybody, another one for every tick and every job, also for one that was made
// anew under the same name. The zero time is the only run of a job without a schedule. It is a DNS label.
func Name(job *v1alpha1.TenantJob, tick time.Time) string {
	which := "once"
	if !tick.IsZero() {
		which = strconv.FormatInt(tick.Unix(), 10)
	}

	sum := sha256.Sum256([]byte(string(job.UID) + "/" + which))

	suffix := make([]byte, suffixLength)
	for i := range suffix {
		suffix[i] = suffixLetters[int(sum[i])%len(suffixLetters)]
	}

	return job.Name + "-" + string(suffix)
}
